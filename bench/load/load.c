/* Sends a plan of HTTP requests to a server on this machine, over so many connections at once, and
 * prints what came of it as JSON.
 *
 *     load PORT CONNECTIONS PLAN POOL [DEADLINE_SECONDS]
 *
 * One thread, one epoll. Requests are laid out beforehand and bodies go from memory by sendfile, so
 * that one core of client outruns one core of any server. It talks to 127.0.0.1 and to nothing
 * else, ends at the deadline, and gives up once MOST_FAILURES jobs have failed.
 */
#define _GNU_SOURCE
#include "connection.h"
#include "fail.h"
#include "plan.h"
#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 1024, MOST_FAILURES = 100, MOST_SECONDS = 1800, EVENTS_AT_ONCE = 64 };

static long number(const char *text, const char *what, long least, long most)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < least || value > most)
        fail("%s must be a number from %ld to %ld, not \"%s\"", what, least, most, text);
    return value;
}

/* Copy the pool to memory that no disk has a part in. */
static void pool_read(const char *path, Load *load)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) < 0 || about.st_size == 0)
        fail_errno("can't read the pool %s", path);
    load->pool = memfd_create("pool", MFD_CLOEXEC);
    if (load->pool < 0)
        fail_errno("can't make a pool in memory");
    for (off_t at = 0; at < about.st_size;)
        if (sendfile(load->pool, file, &at, about.st_size - at) <= 0)
            fail_errno("can't copy the pool %s", path);
    load->pool_bytes = about.st_size;
    close(file);
}

/* Serve events until every job has ended one way or the other. */
static void run(Load *load, uint64_t deadline)
{
    Tally *tally = load->tally;
    struct epoll_event events[EVENTS_AT_ONCE];
    while (tally->ok + tally->failed < tally->jobs && tally->failed < MOST_FAILURES) {
        uint64_t now = nanoseconds();
        if (now >= deadline)
            return;
        int wait = (deadline - now) / 1000000 + 1;
        int count = epoll_wait(load->poll, events, EVENTS_AT_ONCE, wait);
        if (count < 0 && errno != EINTR)
            fail_errno("can't wait for sockets");
        for (int i = 0; i < count; i++) {
            Connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT)
                connection_writable(connection, load);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                connection_readable(connection, load);
        }
    }
}

int main(int count, char **arguments)
{
    if (count != 5 && count != 6)
        fail("usage: load PORT CONNECTIONS PLAN POOL [DEADLINE_SECONDS]");
    Plan plan = plan_read(arguments[3]);
    Tally tally;
    Load load = {
        .plan = &plan,
        .tally = &tally,
        .port = number(arguments[1], "PORT", 1, 65535),
        .poll = epoll_create1(EPOLL_CLOEXEC),
    };
    if (load.poll < 0)
        fail_errno("can't make an epoll");
    uint32_t connections = number(arguments[2], "CONNECTIONS", 1, MOST_CONNECTIONS);
    uint64_t seconds = count < 6 ? 600 : number(arguments[5], "DEADLINE_SECONDS", 1, MOST_SECONDS);
    pool_read(arguments[4], &load);
    if (connections > plan.jobs)
        connections = plan.jobs;
    Connection *all = calloc(connections, sizeof *all);
    if (all == NULL)
        fail("no memory for %u connections", connections);
    for (uint32_t i = 0; i < connections; i++)
        connection_open(&all[i], &load);

    tally_begin(&tally, plan.jobs);
    for (uint32_t i = 0; i < connections; i++)
        connection_next_job(&all[i], &load);
    run(&load, tally.began + seconds * 1000000000u);
    tally_print(&tally, stdout);
    return 0;
}
