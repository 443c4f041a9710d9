/* SPDX-License-Identifier: Apache-2.0
 *
 * A Kafka client from its making to its end: whether its brokers are away and why, and its errors as ours. See kafka.h.
 */
#include "base/kafka.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/thread.h"

#define DESTROY_SECONDS 2

/* ---- whether the brokers are away ------------------------------------------------------------------------------- */

/* What a text of librdkafka says happened, without what is around it: "NAME/bootstrap: WHAT (after 3ms in state …)",
 * and without its guesses: "Disconnected: verify that …". */
static struct hr_str cause_of(const char *reason)
{
    static const char *const ends[] = {" (after ", ": verify that ", " while requesting ", ": increase "};
    const char *slash = strchr(reason, '/');
    const char *space = strchr(reason, ' ');
    bool named = slash != NULL && space != NULL && slash < space && space[-1] == ':';
    const char *begin = named ? space + 1 : reason;
    size_t length = strlen(begin);
    for (size_t i = 0; i < HR_ARRAY_LEN(ends); i++) {
        const char *end = strstr(begin, ends[i]);
        length = end != NULL && (size_t)(end - begin) < length ? (size_t)(end - begin) : length;
    }
    return (struct hr_str){begin, length};
}

/* The handshake of TLS fails as a connection that is lost, and what is no broker as a bad message: for whoever waits, a
 * broker that is not reached, in both. */
static void watch_cause(struct hr_kafka_watch *watch, int code, const char *reason)
{
    struct hr_str cause = cause_of(reason);
    snprintf(watch->text, sizeof(watch->text), "%s%.*s",
             code == RD_KAFKA_RESP_ERR__BAD_MSG ? "not a Kafka broker, or another protocol: " : "", HR_STR_ARGS(cause));
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__RESOLVE) {
        watch->cause = code;
    } else {
        watch->cause = strstr(watch->text, "SSL") != NULL ? RD_KAFKA_RESP_ERR__SSL : RD_KAFKA_RESP_ERR__TRANSPORT;
    }
}

static void watch_down(struct hr_kafka_watch *watch)
{
    if (!watch->down) {
        watch->down_ns = hr_clock_monotonic_ns(&hr_clock_system);
    }
    watch->down = true;
}

void hr_kafka_watch_error(struct hr_kafka_watch *watch, const rd_kafka_t *client, int code, const char *reason)
{
    hr_log_debug(NULL, "%s: %s: %s", rd_kafka_name(client), rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
    switch (code) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
        if (watch->cause == 0) {
            snprintf(watch->text, sizeof(watch->text), "%s", rd_kafka_err2str((rd_kafka_resp_err_t)code));
        }
        watch_down(watch);
        break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
        watch_down(watch);
        watch->refused = watch->refused || code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
        watch_cause(watch, code, reason);
        break;
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        if (!watch->refused) {
            watch_cause(watch, code, reason);
        }
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        watch->gone = true;
        break;
    default:
        break;
    }
}

static void watch_error(rd_kafka_t *client, int code, const char *reason, void *opaque)
{
    hr_kafka_watch_error(opaque, client, code, reason);
}

void hr_kafka_conf_watch(rd_kafka_conf_t *conf, struct hr_kafka_watch *watch)
{
    *watch = (struct hr_kafka_watch){0};
    rd_kafka_conf_set_opaque(conf, watch);
    rd_kafka_conf_set_error_cb(conf, watch_error);
}

/* ---- client -------------------------------------------------------------------------------------------------- */

enum hr_status hr_kafka_client(enum hr_kafka_role role, rd_kafka_conf_t *conf, rd_kafka_t **out, struct hr_error *err)
{
    char text[512];
    rd_kafka_type_t type = role == HR_KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof(text));
    if (client == NULL) {
        rd_kafka_conf_destroy(conf);
        (void)hr_fail(err, HR_BAD_CONFIG, "no Kafka client could be made: %s", text);
        return hr_fail_hint(err, "check 'properties'");
    }
    *out = client;
    return HR_OK;
}

static void *destroy_main(void *client)
{
    rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

void hr_kafka_client_destroy(rd_kafka_t *client)
{
    char name[64];
    struct timespec until;
    snprintf(name, sizeof(name), "%s", rd_kafka_name(client));
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += DESTROY_SECONDS;
    pthread_t thread = hr_thread_start("kafka destroy", destroy_main, client);
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) != 0) {
        pthread_detach(thread);
        hr_log_debug(NULL, "%s: the client did not end within %d s, and is left behind", name, DESTROY_SECONDS);
    }
}

/* ---- errors --------------------------------------------------------------------------------------------------- */

static enum hr_status status_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
        return HR_FENCED;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return HR_PERMISSION;
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
    case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return HR_BAD_CONFIG;
    case RD_KAFKA_RESP_ERR__FS:
    case RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        return HR_IO;
    default:
        return HR_UNAVAILABLE;
    }
}

static const char *hint_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
        return "transaction.timeout.ms is above the broker's transaction.max.timeout.ms";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        return "raise message.max.bytes in 'properties' and max.message.bytes of the topic, or write fewer columns";
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
        return "is the broker of bootstrap.servers running, and reachable from here?";
    case RD_KAFKA_RESP_ERR__RESOLVE:
        return "the name of a broker is not known here: check bootstrap.servers, the broker's advertised.listeners "
               "and this machine's DNS";
    case RD_KAFKA_RESP_ERR__SSL:
        return "check security.protocol and the ssl.* properties";
    default:
        break;
    }
    switch (status_of(code)) {
    case HR_FENCED:
        return "see whether a second process runs this query; if none does, raise transaction.timeout.ms or lower "
               "maxRowsPerTrigger";
    case HR_PERMISSION:
        return "check the sasl.* properties and the access rights on the broker";
    default:
        return NULL;
    }
}

enum hr_status hr_kafka_fail(struct hr_error *err, rd_kafka_resp_err_t code, const char *text, const char *what)
{
    enum hr_status status = status_of(code);
    if (status == HR_FENCED) {
        (void)hr_fail(err, status, "%s: another instance took over, or this one was too slow (transaction.timeout.ms)",
                      what);
    } else if (text != NULL) {
        (void)hr_fail(err, status, "%s: %s (%s)", what, text, rd_kafka_err2name(code));
    } else {
        (void)hr_fail(err, status, "%s: %s (%s)", what, rd_kafka_err2str(code), rd_kafka_err2name(code));
    }
    if (err != NULL && hint_of(code) != NULL) {
        (void)hr_fail_hint(err, "%s", hint_of(code));
    }
    return status;
}
