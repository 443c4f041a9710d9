/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads: a stop flag that any waiter can be woken by, and a bounded single-producer single-consumer queue of
 * pointers.
 */
#ifndef HR_BASE_THREAD_H
#define HR_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0: run; 1: finish the batch and stop; 2: abort the batch. Only grows. */
struct hr_stop {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* CLOCK_MONOTONIC */
    volatile int level;
};

void hr_stop_init(struct hr_stop *stop);
void hr_stop_release(struct hr_stop *stop);
void hr_stop_request(struct hr_stop *stop, int level);
static inline int hr_stop_level(const struct hr_stop *stop)
{
    return __atomic_load_n(&stop->level, __ATOMIC_ACQUIRE);
}
/* Sleeps up to timeout_us or until the level is at least 1; returns the level. */
int hr_stop_wait(struct hr_stop *stop, int64_t timeout_us);

struct hr_queue {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty;
    pthread_cond_t not_full;
    void **items;
    size_t capacity;
    size_t head;
    size_t count;
    bool closed;
};

void hr_queue_init(struct hr_queue *queue, size_t capacity);
void hr_queue_release(struct hr_queue *queue);
/* Waits while full. false: closed. */
bool hr_queue_push(struct hr_queue *queue, void *item);
/* Waits up to timeout_us (negative: for ever). NULL: nothing came, or closed and empty. */
void *hr_queue_pop(struct hr_queue *queue, int64_t timeout_us);
void hr_queue_close(struct hr_queue *queue);

/* Starts a joinable thread with a name of at most 15 characters; aborts when the system has none left. */
pthread_t hr_thread_start(const char *name, void *(*run)(void *), void *argument);

#endif
