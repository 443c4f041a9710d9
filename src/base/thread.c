/* SPDX-License-Identifier: Apache-2.0
 *
 * Stop flag, bounded queue, named threads. All waits use the monotonic clock.
 */
#include "base/thread.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/base.h"

static void condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct timespec time_after(int64_t timeout_us)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_us % 1000000 * 1000;
    until.tv_sec += timeout_us / 1000000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    return until;
}

void hr_stop_init(struct hr_stop *stop)
{
    pthread_mutex_init(&stop->mutex, NULL);
    condition_init(&stop->changed);
    stop->level = 0;
}

void hr_stop_release(struct hr_stop *stop)
{
    pthread_mutex_destroy(&stop->mutex);
    pthread_cond_destroy(&stop->changed);
}

void hr_stop_request(struct hr_stop *stop, int level)
{
    pthread_mutex_lock(&stop->mutex);
    if (level > stop->level) {
        __atomic_store_n(&stop->level, level, __ATOMIC_RELEASE);
        pthread_cond_broadcast(&stop->changed);
    }
    pthread_mutex_unlock(&stop->mutex);
}

int hr_stop_wait(struct hr_stop *stop, int64_t timeout_us)
{
    if (timeout_us <= 0 || hr_stop_level(stop) > 0) {
        return hr_stop_level(stop);
    }
    struct timespec until = time_after(timeout_us);
    pthread_mutex_lock(&stop->mutex);
    while (stop->level == 0 && pthread_cond_timedwait(&stop->changed, &stop->mutex, &until) != ETIMEDOUT) {
    }
    int level = stop->level;
    pthread_mutex_unlock(&stop->mutex);
    return level;
}

void hr_queue_init(struct hr_queue *queue, size_t capacity)
{
    *queue = (struct hr_queue){.items = hr_calloc(capacity, sizeof(void *)), .capacity = capacity};
    pthread_mutex_init(&queue->mutex, NULL);
    condition_init(&queue->not_empty);
    condition_init(&queue->not_full);
}

void hr_queue_release(struct hr_queue *queue)
{
    hr_free(queue->items);
    pthread_mutex_destroy(&queue->mutex);
    pthread_cond_destroy(&queue->not_empty);
    pthread_cond_destroy(&queue->not_full);
}

bool hr_queue_push(struct hr_queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    while (queue->count == queue->capacity && !queue->closed) {
        pthread_cond_wait(&queue->not_full, &queue->mutex);
    }
    bool open = !queue->closed;
    if (open) {
        queue->items[(queue->head + queue->count) % queue->capacity] = item;
        queue->count++;
        pthread_cond_signal(&queue->not_empty);
    }
    pthread_mutex_unlock(&queue->mutex);
    return open;
}

void *hr_queue_pop(struct hr_queue *queue, int64_t timeout_us)
{
    struct timespec until = time_after(timeout_us >= 0 ? timeout_us : 0);
    pthread_mutex_lock(&queue->mutex);
    int waited = 0;
    while (queue->count == 0 && !queue->closed && waited != ETIMEDOUT) {
        waited = timeout_us < 0 ? pthread_cond_wait(&queue->not_empty, &queue->mutex)
                                : pthread_cond_timedwait(&queue->not_empty, &queue->mutex, &until);
    }
    void *item = NULL;
    if (queue->count > 0) {
        item = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->count--;
        pthread_cond_signal(&queue->not_full);
    }
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void hr_queue_close(struct hr_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->not_empty);
    pthread_cond_broadcast(&queue->not_full);
    pthread_mutex_unlock(&queue->mutex);
}

pthread_t hr_thread_start(const char *name, void *(*run)(void *), void *argument)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument) != 0) {
        char what[64];
        (void)snprintf(what, sizeof(what), "no thread for '%s'", name);
        hr_out_of_memory(what);
    }
    char short_name[16];
    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(thread, short_name);
    return thread;
}
