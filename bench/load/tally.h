/* What came of it: counts, latencies, and the JSON they end in. */
#ifndef LOAD_TALLY_H
#define LOAD_TALLY_H

#include <stdint.h>
#include <stdio.h>

enum { HIGHEST_STATUS = 999, KEPT_COMPLAINT = 512 };

typedef struct {
    uint32_t jobs;
    uint32_t ok;
    uint32_t failed;
    uint32_t by_status[HIGHEST_STATUS + 1];
    uint32_t closed;  /* the connection ended before the response did */
    uint32_t garbled; /* the response was not HTTP */
    uint32_t requests;
    uint64_t content_bytes; /* of the jobs that went well */
    uint64_t *latencies;    /* nanoseconds, of the jobs that went well */
    uint64_t began, ended;
    char complaint[KEPT_COMPLAINT]; /* what the first failure said */
} Tally;

/* Nanoseconds of the monotonic clock. */
uint64_t nanoseconds(void);

void tally_begin(Tally *tally, uint32_t jobs);

/* A job went well; it began at `began` and ends now. */
void tally_ok(Tally *tally, uint64_t began, uint64_t content_bytes);

/* A job failed by this status. */
void tally_refused(Tally *tally, int status, const char *body, size_t body_bytes);

/* A job failed without an answer. */
void tally_broken(Tally *tally, uint32_t *kind, const char *why);

/* Write the one JSON object that bench/loadclient.py reads. */
void tally_print(Tally *tally, FILE *out);

#endif
