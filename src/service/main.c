/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace: a table of commands. Everything else is in cmd_*.c; nothing but this file ends the process.
 */
#include <jansson.h>
#include <unistd.h>

#include "base/alloc.h"
#include "service/command.h"

/* For jemalloc, where it is linked (the name is its own): memory that a busy minute needed goes back to the system
 * within a second, also when the query then only waits. */
extern const char *malloc_conf;
const char *malloc_conf = "dirty_decay_ms:500,muzzy_decay_ms:0";

static const struct hr_command *const commands[] = {
#define COMMAND_ROW(name) &hr_command_##name,
    HR_COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

void hr_process_abandon(int exit_code)
{
    _exit(exit_code);
}

int main(int argc, char **argv)
{
    json_set_alloc_funcs(hr_alloc, hr_free); /* its own answer to a lack of memory is half a document */
    hr_out_of_memory_in_libraries();
    return hr_command_line_run(commands, HR_ARRAY_LEN(commands), argc, argv);
}
