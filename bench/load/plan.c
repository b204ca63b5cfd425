#define _GNU_SOURCE
#include "plan.h"

#include "fail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MAGIC[8] = "LDPLAN1";

/* As written by bench/plan.py: little-endian, no padding. */
typedef struct __attribute__((packed)) {
    char magic[8];
    uint32_t steps;
    uint32_t jobs;
} FileHead;

typedef struct __attribute__((packed)) {
    uint32_t head_bytes;
    uint32_t tail_bytes;
    uint32_t hole;
    uint32_t goes_on;
    uint64_t content_start;
    uint64_t content_bytes;
    uint64_t shift;
    char stamp[STAMP_BYTES];
} StepHead;

static const char *take(const char **cursor, const char *end, size_t bytes)
{
    if ((size_t)(end - *cursor) < bytes)
        fail("the plan ends in the middle of a step");
    const char *taken = *cursor;
    *cursor += bytes;
    return taken;
}

static Step step_read(const char **cursor, const char *end)
{
    StepHead raw;
    const char *at = take(cursor, end, sizeof raw);
    memcpy(&raw, at, sizeof raw);
    if (raw.head_bytes > MOST_HEAD_BYTES || raw.tail_bytes > MOST_HEAD_BYTES)
        fail("a head or a tail in the plan is over %d bytes", MOST_HEAD_BYTES);
    if (raw.hole != NO_HOLE && raw.hole > raw.head_bytes)
        fail("a hole in the plan lies outside its head");
    Step step = {
        .head_bytes = raw.head_bytes,
        .tail_bytes = raw.tail_bytes,
        .hole = raw.hole,
        .goes_on = raw.goes_on != 0,
        .content_start = raw.content_start,
        .content_bytes = raw.content_bytes,
        .shift = raw.shift,
        .stamp = at + offsetof(StepHead, stamp),
    };
    step.head = take(cursor, end, raw.head_bytes);
    step.tail = take(cursor, end, raw.tail_bytes);
    return step;
}

Plan plan_read(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (fd < 0 || fstat(fd, &about) < 0)
        fail_errno("can't read the plan %s", path);
    if ((size_t)about.st_size < sizeof(FileHead))
        fail("%s is no plan", path);
    const char *map = mmap(NULL, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED)
        fail_errno("can't map the plan %s", path);
    close(fd);

    const char *cursor = map, *end = map + about.st_size;
    FileHead head;
    memcpy(&head, take(&cursor, end, sizeof head), sizeof head);
    if (memcmp(head.magic, MAGIC, sizeof MAGIC) != 0 || head.steps == 0 || head.jobs > head.steps)
        fail("%s is no plan", path);
    Plan plan = {.count = head.steps, .jobs = head.jobs};
    plan.steps = calloc(plan.count, sizeof *plan.steps);
    if (plan.steps == NULL)
        fail("no memory for %u steps", plan.count);
    uint32_t jobs = 0;
    for (uint32_t i = 0; i < plan.count; i++) {
        plan.steps[i] = step_read(&cursor, end);
        jobs += !plan.steps[i].goes_on;
    }
    if (jobs != plan.jobs || plan.steps[0].goes_on)
        fail("%s counts %u jobs and holds %u", path, plan.jobs, jobs);
    return plan;
}
