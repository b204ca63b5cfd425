#define _GNU_SOURCE
#include "tally.h"

#include "fail.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

uint64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void tally_begin(Tally *tally, uint32_t jobs)
{
    *tally = (Tally){.jobs = jobs};
    tally->latencies = calloc(jobs, sizeof *tally->latencies);
    if (tally->latencies == NULL)
        fail("no memory for %u latencies", jobs);
    tally->began = tally->ended = nanoseconds();
}

void tally_ok(Tally *tally, uint64_t began, uint64_t content_bytes)
{
    tally->ended = nanoseconds();
    tally->latencies[tally->ok++] = tally->ended - began;
    tally->content_bytes += content_bytes;
}

void tally_refused(Tally *tally, int status, const char *body, size_t body_bytes)
{
    tally->ended = nanoseconds();
    tally->by_status[status >= 0 && status <= HIGHEST_STATUS ? status : HIGHEST_STATUS]++;
    if (tally->failed++ == 0)
        snprintf(tally->complaint, sizeof tally->complaint, "%d: %.*s", status, (int)body_bytes,
                 body);
}

void tally_broken(Tally *tally, uint32_t *kind, const char *why)
{
    tally->ended = nanoseconds();
    ++*kind;
    if (tally->failed++ == 0)
        snprintf(tally->complaint, sizeof tally->complaint, "%s", why);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Nearest rank, in milliseconds; null when nothing went well. */
static void print_percentile(const Tally *tally, int percent, FILE *out)
{
    fprintf(out, "\"p%d_ms\": ", percent);
    if (tally->ok == 0) {
        fputs("null, ", out);
        return;
    }
    uint32_t rank = ((uint64_t)tally->ok * percent + 99) / 100;
    fprintf(out, "%.3f, ", tally->latencies[rank - 1] / 1e6);
}

static void print_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(out, "\\%c", *c);
        else if (*c < 0x20 || *c >= 0x7f)
            fprintf(out, "\\u%04x", *c);
        else
            fputc(*c, out);
    }
    fputc('"', out);
}

static void print_failures(const Tally *tally, FILE *out)
{
    bool first = true;
    fputs("\"failed\": {", out);
    for (int status = 0; status <= HIGHEST_STATUS; status++)
        if (tally->by_status[status] > 0) {
            fprintf(out, "%s\"%d\": %u", first ? "" : ", ", status, tally->by_status[status]);
            first = false;
        }
    const struct { const char *name; uint32_t count; } others[] = {
        {"closed", tally->closed},
        {"garbled", tally->garbled},
        {"unfinished", tally->jobs - tally->ok - tally->failed},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].count > 0) {
            fprintf(out, "%s\"%s\": %u", first ? "" : ", ", others[i].name, others[i].count);
            first = false;
        }
    fputs("}, ", out);
}

void tally_print(Tally *tally, FILE *out)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                 (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    qsort(tally->latencies, tally->ok, sizeof *tally->latencies, ascending);
    fprintf(out, "{\"seconds\": %.6f, \"jobs\": %u, \"ok\": %u, \"requests\": %u, ",
            (tally->ended - tally->began) / 1e9, tally->jobs, tally->ok, tally->requests);
    fprintf(out, "\"bytes\": %llu, ", (unsigned long long)tally->content_bytes);
    print_percentile(tally, 50, out);
    print_percentile(tally, 95, out);
    print_percentile(tally, 99, out);
    print_failures(tally, out);
    fprintf(out, "\"cpu_seconds\": %.3f, \"complaint\": ", cpu);
    print_text(tally->complaint, out);
    fputs("}\n", out);
}
