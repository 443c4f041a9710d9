/* SPDX-License-Identifier: Apache-2.0
 *
 * The recovery table, row by row and then exhaustively: what a checkpoint and the ledgers say decides what is done.
 */
#include "test.h"

#include "stream/recovery.h"

#define PREPARED 8

static struct hr_recovery_sink sink_at(int64_t ledger, int64_t mark, bool takes_part)
{
    return (struct hr_recovery_sink){
        .exactly_once = true,
        .takes_part = takes_part,
        .known = ledger >= -1,
        .same_lineage = true,
        .ledger = ledger,
        .mark = mark,
    };
}

/* A sink that was never written has no ledger entry. */
#define UNKNOWN (-2)

static void test_table(void)
{
    static const struct {
        const char *name;
        int64_t prepared;
        struct {
            int64_t ledger;
            int64_t mark;
            bool takes_part;
        } sinks[2];
        size_t count;
        enum hr_recovery_action action;
    } rows[] = {
        {"clean", -1, {{7, 7, false}}, 1, HR_RECOVERY_GO_ON},
        {"clean, a sink that wrote last in batch 3", -1, {{7, 7, false}, {3, 3, false}}, 2, HR_RECOVERY_GO_ON},
        {"clean, a sink that never wrote", -1, {{UNKNOWN, -1, false}}, 1, HR_RECOVERY_GO_ON},
        {"nothing visible", PREPARED, {{7, 7, true}}, 1, HR_RECOVERY_DROP},
        {"nothing visible, first batch of a sink", PREPARED, {{UNKNOWN, -1, true}}, 1, HR_RECOVERY_DROP},
        {"all visible", PREPARED, {{8, 7, true}}, 1, HR_RECOVERY_COMMIT},
        {"all visible, the other takes no part", PREPARED, {{8, 7, true}, {3, 3, false}}, 2, HR_RECOVERY_COMMIT},
        {"half", PREPARED, {{8, 7, true}, {7, 7, true}}, 2, HR_RECOVERY_REPLAY},
        {"half, the other never wrote", PREPARED, {{8, 7, true}, {UNKNOWN, -1, true}}, 2, HR_RECOVERY_REPLAY},
        {"no sink takes part", PREPARED, {{7, 7, false}}, 1, HR_RECOVERY_COMMIT},
        {"no sink at all", PREPARED, {{0, 0, false}}, 0, HR_RECOVERY_COMMIT},
        {"ledger ahead", -1, {{8, 7, false}}, 1, HR_RECOVERY_REFUSE},
        {"ledger far ahead of a prepared batch", PREPARED, {{9, 7, true}}, 1, HR_RECOVERY_REFUSE},
        {"ledger behind", -1, {{6, 7, false}}, 1, HR_RECOVERY_REFUSE},
        {"ledger lost", -1, {{UNKNOWN, 7, false}}, 1, HR_RECOVERY_REFUSE},
        {"ledger lost, prepared", PREPARED, {{UNKNOWN, 7, true}}, 1, HR_RECOVERY_REFUSE},
        {"at N though it takes no part", PREPARED, {{8, 7, false}}, 1, HR_RECOVERY_REFUSE},
        {"knows us though we never wrote", -1, {{0, -1, false}}, 1, HR_RECOVERY_REFUSE},
        {"lineage taken over, nothing written yet", -1, {{-1, -1, false}}, 1, HR_RECOVERY_GO_ON},
    };
    for (size_t i = 0; i < HR_ARRAY_LEN(rows); i++) {
        struct hr_recovery_sink sinks[2];
        for (size_t k = 0; k < rows[i].count; k++) {
            sinks[k] = sink_at(rows[i].sinks[k].ledger, rows[i].sinks[k].mark, rows[i].sinks[k].takes_part);
        }
        enum hr_recovery_action action = hr_recovery_decide(rows[i].prepared, sinks, rows[i].count);
        if (action != rows[i].action) {
            printf("\n%s: decided %d, expected %d\n", rows[i].name, action, rows[i].action);
        }
        CU_ASSERT_EQUAL(action, rows[i].action);
    }
}

static void test_foreign_lineage_is_refused(void)
{
    struct hr_recovery_sink sink = sink_at(7, 7, false);
    sink.same_lineage = false;
    CU_ASSERT_EQUAL(hr_recovery_decide(-1, &sink, 1), HR_RECOVERY_REFUSE);
    sink = sink_at(PREPARED, 7, true);
    sink.same_lineage = false;
    CU_ASSERT_EQUAL(hr_recovery_decide(PREPARED, &sink, 1), HR_RECOVERY_REFUSE);
}

/* An at-least-once sink has no ledger: whether it got batch N is not known, so it gets it again. */
static void test_at_least_once_is_delivered_again(void)
{
    struct hr_recovery_sink sinks[2] = {{.takes_part = true}, sink_at(PREPARED, 7, true)};
    CU_ASSERT_EQUAL(hr_recovery_decide(PREPARED, sinks, 1), HR_RECOVERY_DROP);
    CU_ASSERT_EQUAL(hr_recovery_decide(PREPARED, sinks, 2), HR_RECOVERY_REPLAY);
    sinks[0].takes_part = false;
    CU_ASSERT_EQUAL(hr_recovery_decide(PREPARED, sinks, 2), HR_RECOVERY_COMMIT);
    CU_ASSERT_EQUAL(hr_recovery_decide(-1, sinks, 1), HR_RECOVERY_GO_ON);
}

/* Whatever two ledgers say: a batch that someone has is never dropped, and one that someone lacks is never only
 * committed. */
static void test_never_loses_nor_doubles(void)
{
    for (int64_t a = UNKNOWN; a <= 9; a++) {
        for (int64_t b = UNKNOWN; b <= 9; b++) {
            for (int part = 0; part < 4; part++) {
                struct hr_recovery_sink sinks[2] = {sink_at(a, 7, part & 1), sink_at(b, 5, part >> 1)};
                enum hr_recovery_action action = hr_recovery_decide(PREPARED, sinks, 2);
                bool someone_has = a == PREPARED || b == PREPARED;
                bool someone_lacks = ((part & 1) && a != PREPARED) || ((part >> 1) && b != PREPARED);
                CU_ASSERT_FALSE(action == HR_RECOVERY_DROP && someone_has);
                CU_ASSERT_FALSE(action == HR_RECOVERY_COMMIT && someone_lacks);
                CU_ASSERT_NOT_EQUAL(action, HR_RECOVERY_GO_ON);
            }
        }
    }
}

TEST_MAIN("recovery", {"table", test_table}, {"foreign lineage is refused", test_foreign_lineage_is_refused},
          {"at least once is delivered again", test_at_least_once_is_delivered_again},
          {"never loses nor doubles", test_never_loses_nor_doubles})
