/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket source against a server in this process: lines come in order, those that were taken survive a crash, and
 * the journal is cut, damaged and dropped.
 */
#include "test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "stream/source_journal.h"
#include "stream/source_rows.h"

#define WAIT_US 10000000

static int server = -1;
static char yaml[128];

static void serve(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(server, (struct sockaddr *)&address, sizeof(address)), 0);
    CU_ASSERT_EQUAL_FATAL(listen(server, 4), 0);
    CU_ASSERT_EQUAL(getsockname(server, (struct sockaddr *)&address, &length), 0);
    snprintf(yaml, sizeof(yaml), "{type: socket, host: 127.0.0.1, port: %d}", ntohs(address.sin_port));
}

static void stop_serving(void)
{
    close(server);
    scratch_remove(scratch_path("state"));
}

static void send_text(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Connects: the first look does, and finds nothing. */
static int connect_source(struct source_rows *self)
{
    CU_ASSERT_EQUAL(source_rows_plan(self, 1, 0), HR_AGAIN);
    int fd = accept(server, NULL, NULL);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    return fd;
}

/* Plans until `rows` rows wait, and reads them. */
static const char *take(struct source_rows *self, int64_t rows)
{
    int64_t begin = hr_offsets_find(&self->source->position, HR_STR("journal"), -1)->position;
    for (int i = 0; i < 100; i++) {
        enum hr_status status = source_rows_plan(self, rows, WAIT_US / 100);
        if (status == HR_OK && self->end.items[0].position - begin == rows) {
            return source_rows_read(self);
        }
        if (status != HR_OK && status != HR_AGAIN) {
            return self->err.text;
        }
    }
    return "no lines came";
}

static void test_lines(void)
{
    struct source_rows self;
    serve();
    source_rows_open(&self, yaml, "json", NULL);
    int fd = connect_source(&self);
    send_text(fd, "one\n\n  \ntwo\r\nthr");
    TEST_TEXT_EQUAL(take(&self, 2), "one two ");
    CU_ASSERT_EQUAL(self.records.items[1].offset, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(hr_source_description(self.source), "socket 127.0.0.1:"));
    send_text(fd, "ee\nfour\nfive\n");
    TEST_TEXT_EQUAL(take(&self, 1), "three ");
    TEST_TEXT_EQUAL(take(&self, 2), "four five ");
    /* closed in good order: the last line needs no newline; then another connection is made */
    send_text(fd, "last");
    close(fd);
    TEST_TEXT_EQUAL(take(&self, 1), "last ");
    CU_ASSERT_PTR_NOT_NULL(strstr(self.source->waiting_for, "closed by the peer"));
    CU_ASSERT_EQUAL(source_rows_plan(&self, 1, 1000000), HR_AGAIN);
    fd = accept(server, NULL, NULL);
    CU_ASSERT_EQUAL(self.source->waiting_for[0], 0);
    send_text(fd, "again\n");
    TEST_TEXT_EQUAL(take(&self, 1), "again ");
    close(fd);
    source_rows_close(&self);
    stop_serving();
}

static void test_longer_than_the_limit(void)
{
    struct source_rows self;
    serve();
    source_rows_open(&self, yaml, "{type: json, maxRecordBytes: 100}", NULL);
    int fd = connect_source(&self);
    char half[5001];
    memset(half, 'x', sizeof(half) - 1);
    half[sizeof(half) - 1] = 0;
    send_text(fd, "one\n");
    send_text(fd, half);
    TEST_TEXT_EQUAL(take(&self, 1), "one ");
    take(&self, 1); /* before its end is there */
    CU_ASSERT_EQUAL_FATAL(self.records.count, 1);
    CU_ASSERT_EQUAL(self.records.items[0].value.length, 101);
    send_text(fd, half); /* and nothing of the rest */
    send_text(fd, "\ntwo\n");
    TEST_TEXT_EQUAL(take(&self, 1), "two ");
    close(fd);
    source_rows_close(&self);
    stop_serving();
}

/* The process takes four lines, runs a batch of one of them, and dies; the server has nothing more to say. */
static void test_crash_after_journaling(void)
{
    struct source_rows self;
    struct hr_offsets committed = {0};
    serve();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        source_rows_open(&self, yaml, "json", NULL);
        take(&self, 4);
        kill(getpid(), SIGKILL);
    }
    int fd = accept(server, NULL, NULL);
    send_text(fd, "1\n2\n3\n4\nhalf");
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_TRUE(WIFSIGNALED(status));
    close(fd);
    close(server);
    /* the first batch was not committed, and one line of it was */
    for (int64_t position = -1; position <= 4; position++) {
        hr_offsets_set(&committed, HR_STR("journal"), -1, position);
        source_rows_open(&self, yaml, "json", position < 0 ? NULL : &committed);
        static const char *const expected[] = {"1 2 3 4 ", "1 2 3 4 ", "2 3 4 ", "3 4 ", "4 ", "AGAIN"};
        TEST_TEXT_EQUAL(source_rows_next(&self, 100), expected[position + 1]);
        source_rows_close(&self);
    }
    /* a checkpoint that does not belong to this journal */
    hr_offsets_set(&committed, HR_STR("journal"), -1, 5);
    source_rows_new(&self, yaml, "json");
    CU_ASSERT_EQUAL(hr_source_open(self.source, &committed, &self.err), HR_DATA_LOSS);
    source_rows_close(&self);
    hr_offsets_release(&committed);
    scratch_remove(scratch_path("state"));
}

static void test_needs_a_state_directory(void)
{
    struct source_rows self;
    source_rows_new(&self, "{type: socket, host: localhost, port: 1}", "json");
    self.source->state_directory = NULL;
    CU_ASSERT_EQUAL(hr_source_open(self.source, NULL, &self.err), HR_BAD_CONFIG);
    source_rows_close(&self);
}

/* ---- the journal alone -------------------------------------------------------------------------------------- */

static struct hr_error err;

static void visit(void *context, int64_t row, struct hr_str line)
{
    hr_buf_printf(context, "%lld:%.*s ", (long long)row, HR_STR_ARGS(line));
}

static const char *rows_of(const struct hr_journal *journal, int64_t first, int64_t end)
{
    static char text[512];
    struct hr_buf buf;
    struct hr_arena arena;
    hr_buf_init(&buf, sizeof(text) - 1);
    hr_arena_init(&arena, 0);
    enum hr_status status = hr_journal_read(journal, first, end, &arena, visit, &buf, &err);
    snprintf(text, sizeof(text), "%s", status == HR_OK ? hr_buf_text(&buf) : hr_status_name(status));
    hr_buf_release(&buf);
    hr_arena_release(&arena);
    return text;
}

/* Appends rows [from, to), `each` at a time, with `width` bytes more than their number. */
static void append_rows(struct hr_journal *journal, int from, int to, int each, size_t width)
{
    char *bytes = hr_calloc((size_t)each, width + 16);
    struct hr_str *lines = hr_calloc((size_t)each, sizeof(*lines));
    for (int row = from; row < to; row += each) {
        for (int i = 0; i < each; i++) {
            char *line = bytes + (size_t)i * (width + 16);
            memset(line, '.', width + 15);
            int digits = sprintf(line, "r%d", row + i);
            line[digits] = '.';
            lines[i] = (struct hr_str){line, (size_t)digits + width};
        }
        CU_ASSERT_EQUAL_FATAL(hr_journal_append(journal, lines, (uint32_t)each, &err), HR_OK);
    }
    hr_free(lines);
    hr_free(bytes);
}

static void test_journal_is_cut_at_an_unfinished_append(void)
{
    struct hr_journal journal;
    const char *directory = scratch_path("torn");
    CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
    append_rows(&journal, 0, 2, 2, 0);
    int64_t whole = journal.segment_bytes;
    append_rows(&journal, 2, 4, 2, 0);
    hr_journal_close(&journal);
    const char *segment = scratch_path("torn/00000000000000000000.journal");
    size_t length;
    char *bytes = scratch_read(segment, &length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t cut = (size_t)whole; cut <= length; cut++) {
        scratch_write(segment, bytes, cut, "w");
        CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
        CU_ASSERT_EQUAL(journal.next, cut == length ? 4 : 2);
        TEST_TEXT_EQUAL(rows_of(&journal, 0, journal.next), cut == length ? "0:r0 1:r1 2:r2 3:r3 " : "0:r0 1:r1 ");
        CU_ASSERT_EQUAL(journal.dropped_bytes, cut == length ? 0 : (int64_t)cut - whole);
        if (cut < length) { /* and it goes on behind the cut */
            append_rows(&journal, 2, 3, 1, 0);
            TEST_TEXT_EQUAL(rows_of(&journal, 1, 3), "1:r1 2:r2 ");
        }
        hr_journal_close(&journal);
    }
    /* a bad frame with a good one behind it is no unfinished append */
    size_t missed = 0;
    for (size_t at = 0; at < (size_t)whole; at++) {
        bytes[at] ^= 4;
        scratch_write(segment, bytes, length, "w");
        missed += hr_journal_open(&journal, directory, &err) != HR_CORRUPT;
        hr_journal_close(&journal);
        bytes[at] ^= 4;
    }
    CU_ASSERT_EQUAL(missed, 0);
    hr_free(bytes);
}

static size_t segment_count(const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, NULL);
    size_t segments = 0;
    for (int i = 0; i < count; i++) {
        segments += strstr(entries[i]->d_name, ".journal") != NULL;
        free(entries[i]);
    }
    free(entries);
    return segments;
}

static void test_journal_gives_space_back(void)
{
    struct hr_journal journal;
    const char *directory = scratch_path("segments");
    CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
    append_rows(&journal, 0, 40, 4, 1 << 20);
    size_t before = segment_count(directory);
    CU_ASSERT_TRUE(before >= 4);
    hr_journal_drop(&journal, 0);
    CU_ASSERT_EQUAL(segment_count(directory), before);
    hr_journal_drop(&journal, 30);
    CU_ASSERT_TRUE(segment_count(directory) < before);
    CU_ASSERT_TRUE(journal.first > 0 && journal.first <= 30);
    TEST_TEXT_EQUAL(rows_of(&journal, 0, 1), "DATA_LOSS");
    TEST_TEXT_EQUAL(rows_of(&journal, 39, 41), "DATA_LOSS");
    int64_t first = journal.first;
    hr_journal_close(&journal);
    CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
    CU_ASSERT_EQUAL(journal.first, first);
    CU_ASSERT_EQUAL(journal.next, 40);
    hr_journal_drop(&journal, 40); /* all of them: the numbers go on, also after a start */
    append_rows(&journal, 40, 41, 1, 0);
    hr_journal_close(&journal);
    CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
    CU_ASSERT_EQUAL(journal.next, 41);
    TEST_TEXT_EQUAL(rows_of(&journal, 40, 41), "40:r40 ");
    hr_journal_close(&journal);
    /* a segment in the middle is lost */
    scratch_remove(directory);
    CU_ASSERT_EQUAL_FATAL(hr_journal_open(&journal, directory, &err), HR_OK);
    append_rows(&journal, 0, 40, 4, 1 << 20);
    int64_t middle = journal.frames[journal.frame_count / 2].segment;
    hr_journal_close(&journal);
    CU_ASSERT_EQUAL(unlink(scratch_path("segments/%020lld.journal", (long long)middle)), 0);
    CU_ASSERT_EQUAL(hr_journal_open(&journal, directory, &err), HR_CORRUPT);
    hr_journal_close(&journal);
}

TEST_MAIN("source_socket", {"lines", test_lines}, {"longer than the limit", test_longer_than_the_limit},
          {"crash after journaling", test_crash_after_journaling},
          {"needs a state directory", test_needs_a_state_directory},
          {"journal is cut at an unfinished append", test_journal_is_cut_at_an_unfinished_append},
          {"journal gives space back", test_journal_gives_space_back})
