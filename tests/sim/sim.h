/* SPDX-License-Identifier: Apache-2.0
 *
 * The simulation of the exactly-once protocol: what its files share. The engine is the real one (hr_recovery_run,
 * hr_microbatch_run, the checkpoint); source, sinks and store are simulated, and every call of theirs is a step at
 * which an instance can die, get an error or fall asleep while a successor takes over. All that happens follows from
 * (seed, schedule). README.md has the map.
 */
#ifndef HR_TESTS_SIM_H
#define HR_TESTS_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/random.h"
#include "base/status.h"
#include "state/checkpoint.h"
#include "state/store.h"
#include "stream/plan.h"
#include "stream/run.h"

#define SIM_SINKS_MAX 8
#define SIM_PARTITIONS 2
#define SIM_BATCHES_MAX 64
#define SIM_STAGED_MAX 64

/* ---- steps and faults --------------------------------------------------------------------------------------- */

/* name, text, false: the call returns nothing, so that it cannot fail */
#define SIM_STEPS(X) \
    X(STORE_READ, "store read", true) \
    X(STORE_WRITE, "store write", true) \
    X(STORE_SYNC, "store write, synced", true) \
    X(STORE_MARK, "mark beside the store", true) \
    X(SINK_OPEN, "sink open", true) \
    X(SINK_RECOVER, "sink recover", true) \
    X(SINK_BEGIN, "sink begin", true) \
    X(SINK_WRITE, "sink write", true) \
    X(SINK_COMMIT, "transaction commit", true) \
    X(SINK_LEDGER, "ledger (planted bug)", true) \
    X(PART_MANIFEST, "file: manifest line", true) \
    X(PART_RENAME, "file: rename", true) \
    X(PART_SYNC, "file: directory sync", true) \
    X(PRINT_FIRST, "print, first half", true) \
    X(PRINT_REST, "print, the rest", true) \
    X(SINK_ABORT, "sink abort", false) \
    X(SOURCE_OPEN, "source open", true) \
    X(SOURCE_LATEST, "source latest", true) \
    X(SOURCE_PLAN, "source plan", true) \
    X(SOURCE_READ, "source read", true) \
    X(SOURCE_COMMITTED, "source committed", false)

enum sim_step {
#define SIM_STEP_MEMBER(name, text, fails) SIM_##name,
    SIM_STEPS(SIM_STEP_MEMBER)
#undef SIM_STEP_MEMBER
        SIM_STEP_COUNT
};

/* CRASH: the process is gone, with what was not durable (or only the process: the seed says). ERROR: the call fails;
 * after its effect: the outcome was not what the caller is told. PAUSE: a successor takes over, then the call goes on.
 */
enum sim_fault { SIM_CRASH, SIM_ERROR, SIM_PAUSE, SIM_FAULT_COUNT };

enum sim_bug {
    SIM_BUG_NONE,
    SIM_BUG_COMMIT_BEFORE_DELIVER,
    SIM_BUG_LEDGER_OUTSIDE,
    SIM_BUG_DELTA_TWICE,
    SIM_BUG_PRUNE_EARLY,
    SIM_BUG_LEDGER_UNCHECKED,
    SIM_BUG_PREPARE_UNSYNCED,
    SIM_BUG_NO_FENCE,
    SIM_BUG_REDELIVER,
    SIM_BUG_MARK_KEPT,
    SIM_BUG_START_FORGOTTEN,
    SIM_BUG_RANGE_FORGOTTEN,
    SIM_BUG_RANGE_AHEAD,
    SIM_BUG_COUNT,
};
extern const char *const sim_bug_names[SIM_BUG_COUNT];
/* Of the whole process; never in force in the reference run. */
extern enum sim_bug sim_planted;

/* ---- the world outside: survives every crash ---------------------------------------------------------------- */

struct sim_row {
    int64_t id;     /* of a row and a dead letter: where its record is in the log; of a progress document: its batch */
    uint64_t value; /* bits of what the model says of the row, sum of a document */
};

enum sim_sink_kind { SIM_TRANSACTIONAL, SIM_FILE, SIM_PRINTED };
enum sim_sink_content { SIM_ROWS, SIM_METRICS, SIM_DEAD_LETTERS };

struct sim_instance;

/* What a sink of the outside world holds. */
struct sim_memory {
    enum sim_sink_kind kind;
    enum sim_sink_content content;
    struct sim_row *rows; /* visible */
    size_t row_count;
    size_t row_capacity;
    int64_t epoch; /* of the instance that opened it last */
    bool known;    /* the ledger's entry */
    char lineage[37];
    int64_t batch;
    int64_t commits;
    /* SIM_FILE: the last line of the manifest, while it is not known whether its part is there for good. */
    struct sim_instance *locked_by;
    bool pending;
    bool pending_visible;
    size_t rows_before;
    bool pending_known;
    char pending_lineage[37];
    int64_t pending_batch;
};

struct sim_shape {
    const char *sinks; /* "k1 f1 a1 d1", see sim_plan.c */
    const char *model; /* YAML, and what follows it in the query */
    bool classifies;   /* a label that is no class makes a bad record */
};
extern const struct sim_shape sim_shapes[];
extern const size_t sim_shape_count;

struct sim_plan {
    struct hr_plan *plan;
    size_t shape;
    bool taken;
    struct sim_pristine *pristine;
};

/* Pages as the checkpoint's store port, over the memory store of the instance. */
struct sim_store {
    struct hr_store store;
    struct sim_instance *instance;
};

/* One process that runs the query, from start to end. */
struct sim_instance {
    struct sim_world *world;
    int number;
    struct sim_plan *plan;
    struct sim_store store;
    struct hr_store *memory; /* the world's, or a copy once it is superseded */
    struct hr_checkpoint *checkpoint;
    struct hr_run run;
    bool run_made;
    size_t sinks_open;
    bool dead;         /* crashed: nothing that it does has an effect */
    bool excused;      /* a port refused: it may fail */
    bool read_waits;   /* the next batch is to be read ahead, and is not yet */
    bool half_batch;   /* it ended in the middle of one: what its plan remembers is not looked into */
    bool superseded;   /* a successor opened all sinks after it */
    bool drop_pending; /* planted bug */
    bool keep_record;
    struct hr_error err;
};

struct sim_world {
    uint64_t seed;
    int64_t schedule;
    uint64_t random;
    bool reference; /* the run that never crashed: same batches, no faults, no bugs */
    bool traced;
    size_t shape;
    int keep;
    uint64_t log_seed;
    bool ahead;                        /* batches are read ahead; never in the reference */
    int bad_per_mille;                 /* records that cannot be used */
    int64_t log_start[SIM_PARTITIONS]; /* drawn at each start from nothing: what is "latest" moves */
    int64_t log_end[SIM_PARTITIONS];
    char lineage[37]; /* reference: the one to use */

    struct sim_memory sinks[SIM_SINKS_MAX];
    size_t sink_count;
    struct hr_store *memory;
    int64_t mark; /* file MARK of the checkpoint's directory */
    int64_t mark_durable;
    bool new_lineage; /* starts are made with --new-lineage until one succeeds */
    bool tampering;

    int64_t step;
    int64_t next_step;
    int64_t fault_span;
    enum sim_fault next_fault;
    int faults_left;
    bool single_fault; /* next_fault is the only one, and where it is to be is given */
    bool paused;       /* one instance sleeps at a time */
    bool stray_prints; /* sinks that are at least once may have rows of batches that never came to be */

    struct sim_instance *current;
    struct sim_instance *free_instances[4];
    size_t free_count;
    int instance_count;
    bool done;
    bool successor_opened;
    int64_t ends[SIM_BATCHES_MAX][SIM_PARTITIONS]; /* of the committed batches */
    int64_t batches;
    int64_t wanted_batches; /* reference: so many of ends are to be run */

    char failure[2048]; /* "": none */
};

/* What was reached, over all schedules of the process: [step][after its effect][fault]. */
extern uint64_t sim_reached[SIM_STEP_COUNT][2][SIM_FAULT_COUNT];
extern const char *const sim_step_names[SIM_STEP_COUNT];
extern const bool sim_step_fails[SIM_STEP_COUNT];
extern const char *const sim_fault_names[SIM_FAULT_COUNT];
extern uint64_t sim_actions[8]; /* enum hr_recovery_action of all starts */
extern uint64_t sim_lineages;   /* new ones, on purpose */

static inline uint64_t sim_draw(struct sim_world *world, uint64_t below)
{
    return hr_random_splitmix(&world->random) % below;
}

static inline bool sim_has_bug(const struct sim_world *world, enum sim_bug bug)
{
    return sim_planted == bug && !world->reference;
}

/* sim_step.c. Before and after the effect of a call; not HR_OK: the call ends with this status. */
enum hr_status sim_before(struct sim_instance *instance, enum sim_step step, struct hr_error *err);
enum hr_status sim_after(struct sim_instance *instance, enum sim_step step, struct hr_error *err);
void sim_draw_fault(struct sim_world *world);
void sim_trace(const struct sim_world *world, const char *format, ...) HR_PRINTF(2, 3);
/* Keeps the first. */
void sim_fail(struct sim_world *world, const char *format, ...) HR_PRINTF(2, 3);

/* sim_store.c */
void sim_store_init(struct sim_store *store, struct sim_instance *instance);
/* What a new start finds is durable: RocksDB flushes what its log held. */
void sim_store_settle(struct hr_store *memory);
struct hr_store *sim_store_copy(struct hr_store *memory);
/* All keys and values in order; to be released. */
void sim_store_dump(struct hr_store *memory, struct hr_buf *out);
/* The file beside the store that says which batch was durable. */
enum hr_status sim_mark(struct sim_instance *instance, int64_t batch, bool sync, struct hr_error *err);
/* Store and mark after the instance is gone. */
void sim_store_crash(struct sim_instance *instance);

/* sim_source.c. What the log holds is a pure function of its seed. */
enum sim_record { SIM_GOOD, SIM_UNLABELLED, SIM_MALFORMED, SIM_BAD_LABEL, SIM_GAP };
enum sim_record sim_record_kind(const struct sim_world *world, int64_t partition, int64_t offset);
int64_t sim_record_id(int64_t partition, int64_t offset);
struct hr_source *sim_source_new(struct hr_source *replaced, struct hr_arena *arena);
void sim_source_attach(struct hr_source *source, struct sim_instance *instance);
struct sim_instance *sim_source_instance(struct hr_source *source);
int64_t sim_offset_position(const struct hr_offsets *offsets, int64_t partition);

/* sim_sink.c */
struct hr_sink *sim_sink_new(struct hr_sink *replaced, enum sim_sink_kind kind, enum sim_sink_content content,
                             size_t index, const struct hr_schema *schema, struct hr_arena *arena);
void sim_sink_attach(struct hr_sink *sink, struct sim_instance *instance);
struct sim_instance *sim_sink_instance(struct hr_sink *sink);
/* The process is gone: locks go with it; after a power loss also what was not synced. */
void sim_sinks_crash(struct sim_world *world, struct sim_instance *instance, bool power_loss);

/* sim_plan.c. Plans are built once and put back into the state of a new one; now and then a new one is built. */
struct sim_plan *sim_plan_take(struct sim_world *world);
/* spoiled: the plan is not used again. */
void sim_plan_give_back(struct sim_plan *plan, bool spoiled);
void sim_plan_attach(struct sim_plan *plan, struct sim_instance *instance);
void sim_plan_describe_sinks(size_t shape, struct sim_memory *sinks, size_t *count);
void sim_plans_free(void);

/* sim_instance.c */
struct sim_instance *sim_instance_new(struct sim_world *world);
enum hr_status sim_instance_open(struct sim_instance *instance);
enum hr_status sim_instance_batch(struct sim_instance *instance);
void sim_instance_close(struct sim_instance *instance);

/* sim_schedule.c */
void sim_world_begin(struct sim_world *world, uint64_t seed, int64_t schedule);
/* Runs until the log is read, or for so many batches and starts. */
void sim_drive(struct sim_world *world, int64_t batches, int64_t starts);
/* The instance sleeps; successors run meanwhile. */
void sim_pause(struct sim_instance *instance);
/* One schedule and its check; false: world->failure says what was wrong. */
bool sim_run_schedule(struct sim_world *world, uint64_t seed, int64_t schedule, bool traced);
void sim_world_release(struct sim_world *world);

/* sim_check.c. Compares with the run that never crashed. */
void sim_check(struct sim_world *world);
void sim_check_free(void);

/* sim_tamper.c. Starts an instance over a state that does not belong, and expects to be refused. Then puts everything
 * back, or goes on with a new lineage; *old may change places with the world's store. */
void sim_tamper(struct sim_world *world, struct hr_store **old);

#endif
