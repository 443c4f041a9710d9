/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz target over stored inputs: all files of the folders (or the files) that are named. So the inputs are
 * regression tests in builds that have no libFuzzer. Fails when there are none.
 */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replayed;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    uint8_t *data = malloc((size_t)info.st_size + 1);
    size_t size = fread(data, 1, (size_t)info.st_size, file);
    (void)fclose(file);
    /* A block of the exact size, so that a sanitizer sees a read past it. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, data, size);
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    replayed++;
}

static void replay(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        replay_file(path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char inner[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
            replay_file(inner);
        }
    }
    (void)closedir(directory);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        replay(argv[i]);
    }
    printf("%zu inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
