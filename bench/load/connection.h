/* One keep-alive connection and the job it is at. */
#ifndef LOAD_CONNECTION_H
#define LOAD_CONNECTION_H

#include "plan.h"
#include "response.h"
#include "tally.h"

typedef struct {
    const Plan *plan;
    Tally *tally;
    int poll;          /* epoll descriptor */
    uint16_t port;
    int pool;          /* the bytes files are made of, in memory */
    uint64_t pool_bytes;
    uint32_t next;     /* the first step of the next job */
} Load;

typedef struct {
    int fd;
    bool busy;          /* has a job */
    bool wants_out;     /* waits until the socket takes more */
    bool broken;        /* can't send; the answer, if any, may still be read */
    uint32_t step;
    uint64_t began;
    uint64_t job_bytes; /* content sent for the job so far */
    char *front;        /* head and stamp of the request under way */
    size_t front_room, front_bytes, front_sent;
    uint64_t pool_at, pool_end; /* positions in the file's content */
    size_t tail_sent;
    char location[MOST_LOCATION];
    Response response;
} Connection;

/* Connect to 127.0.0.1 and to nothing else, ever. */
void connection_open(Connection *connection, const Load *load);

/* Begin the next job; idle when there is none. */
void connection_next_job(Connection *connection, Load *load);

/* The socket takes more. */
void connection_writable(Connection *connection, Load *load);

/* The socket has something to say, or has ended. */
void connection_readable(Connection *connection, Load *load);

#endif
