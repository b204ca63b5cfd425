/* What is to be sent: a file of steps, made beforehand by bench/plan.py.
 *
 * A job is one or more steps on one connection; a step is one request, complete to the last byte of
 * its head, so that nothing is formatted while the clock runs. The body is
 *
 *     content[start, start + bytes) of a numbered file, then `tail`
 *
 * and the content of a file is its stamp (unique) followed by the pool, read round and round from
 * `shift`: no two files are alike, and none has to exist anywhere.
 */
#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STAMP_BYTES = 32, NO_HOLE = 0xffffffff, MOST_HEAD_BYTES = 1 << 20 };

typedef struct {
    const char *head; /* request line, headers, empty line, and whatever precedes the content */
    uint32_t head_bytes;
    uint32_t hole; /* where in the head the path of the last `Location` goes, or NO_HOLE */
    const char *tail;
    uint32_t tail_bytes;
    bool goes_on; /* the same job as the step before */
    const char *stamp;
    uint64_t content_start;
    uint64_t content_bytes;
    uint64_t shift;
} Step;

typedef struct {
    Step *steps;
    uint32_t count;
    uint32_t jobs;
} Plan;

/* Read a plan; end the program, saying why, when it is not one. */
Plan plan_read(const char *path);

#endif
