/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread is made at the first begin: a query without a backlog has none.
 */
#include "stream/read_ahead.h"

#include "base/thread.h"

void hr_read_ahead_init(struct hr_read_ahead *ahead)
{
    *ahead = (struct hr_read_ahead){.state = HR_READ_AHEAD_IDLE};
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
}

void hr_read_ahead_work(struct hr_read_ahead *ahead)
{
    struct hr_source *source = ahead->source;
    struct hr_offsets end = {0};
    ahead->read = HR_OK;
    ahead->planned = hr_source_plan(source, &ahead->limit, &end, &ahead->err);
    if (ahead->planned == HR_OK) {
        hr_offsets_copy(&ahead->start, &source->position);
        hr_records_clear(ahead->records);
        ahead->read = hr_source_read(source, &end, ahead->records, &ahead->err);
    }
    hr_offsets_release(&end);
}

static void *read_ahead_main(void *argument)
{
    struct hr_read_ahead *ahead = argument;
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->closing) {
        if (ahead->state == HR_READ_AHEAD_RUNNING) {
            pthread_mutex_unlock(&ahead->mutex);
            hr_read_ahead_work(ahead);
            pthread_mutex_lock(&ahead->mutex);
            ahead->state = HR_READ_AHEAD_DONE;
            pthread_cond_broadcast(&ahead->changed);
        } else {
            pthread_cond_wait(&ahead->changed, &ahead->mutex);
        }
    }
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

void hr_read_ahead_begin(struct hr_read_ahead *ahead, struct hr_source *source, const struct hr_source_limit *limit,
                         struct hr_records *records)
{
    pthread_mutex_lock(&ahead->mutex);
    HR_ASSERT(ahead->state == HR_READ_AHEAD_IDLE);
    ahead->source = source;
    ahead->records = records;
    ahead->limit = *limit;
    ahead->limit.wait_us = 0;
    ahead->state = HR_READ_AHEAD_RUNNING;
    if (!ahead->started) {
        ahead->thread = hr_thread_start("read-ahead", read_ahead_main, ahead);
        ahead->started = true;
    }
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

void hr_read_ahead_join(struct hr_read_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    while (ahead->state == HR_READ_AHEAD_RUNNING) {
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    }
    pthread_mutex_unlock(&ahead->mutex);
}

bool hr_read_ahead_take(struct hr_read_ahead *ahead, struct hr_offsets *start, enum hr_status *planned,
                        enum hr_status *read, struct hr_error *err)
{
    HR_ASSERT(ahead->state != HR_READ_AHEAD_RUNNING);
    bool done = ahead->state == HR_READ_AHEAD_DONE && ahead->planned != HR_AGAIN;
    ahead->state = HR_READ_AHEAD_IDLE;
    if (!done) {
        return false;
    }
    *planned = ahead->planned;
    *read = ahead->read;
    if (*planned != HR_OK || *read != HR_OK) {
        *err = ahead->err;
        return true;
    }
    hr_offsets_copy(start, &ahead->start);
    return true;
}

void hr_read_ahead_release(struct hr_read_ahead *ahead)
{
    hr_read_ahead_join(ahead);
    if (ahead->started) {
        pthread_mutex_lock(&ahead->mutex);
        ahead->closing = true;
        pthread_cond_broadcast(&ahead->changed);
        pthread_mutex_unlock(&ahead->mutex);
        pthread_join(ahead->thread, NULL);
    }
    hr_offsets_release(&ahead->start);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
}
