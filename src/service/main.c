/* SPDX-License-Identifier: Apache-2.0
 *
 * headrace: a table of commands. Everything else is in cmd_*.c; nothing but this file ends the process.
 */
#include <unistd.h>

#include "service/command.h"

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
    return hr_command_line_run(commands, HR_ARRAY_LEN(commands), argc, argv);
}
