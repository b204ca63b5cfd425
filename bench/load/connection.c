#define _GNU_SOURCE
#include "connection.h"

#include "fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10, SENDFILE_BYTES = 4 << 20, CONNECT_SECONDS = 5 };

void connection_open(Connection *connection, const Load *load)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct timeval patience = {.tv_sec = CONNECT_SECONDS};
    struct sockaddr_in server = {
        .sin_family = AF_INET,
        .sin_port = htons(load->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
        fail_errno("can't make a socket");
    if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
        fail_errno("can't connect to 127.0.0.1:%u", load->port);
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        fail_errno("can't make a socket non-blocking");
    struct epoll_event interest = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->poll, EPOLL_CTL_ADD, fd, &interest) < 0)
        fail_errno("can't watch a socket");
    connection->fd = fd;
    connection->wants_out = false;
    connection->broken = false;
}

static void reopen(Connection *connection, const Load *load)
{
    close(connection->fd);
    connection_open(connection, load);
}

static void want_out(Connection *connection, const Load *load, bool wanted)
{
    if (connection->wants_out == wanted)
        return;
    struct epoll_event interest = {
        .events = EPOLLIN | (wanted ? EPOLLOUT : 0),
        .data.ptr = connection,
    };
    if (epoll_ctl(load->poll, EPOLL_CTL_MOD, connection->fd, &interest) < 0)
        fail_errno("can't watch a socket");
    connection->wants_out = wanted;
}

static const Step *current(const Connection *connection, const Load *load)
{
    return &load->plan->steps[connection->step];
}

static bool all_sent(const Connection *connection, const Load *load)
{
    return connection->front_sent == connection->front_bytes &&
           connection->pool_at == connection->pool_end &&
           connection->tail_sent == current(connection, load)->tail_bytes;
}

static void append(Connection *connection, const char *bytes, size_t count)
{
    if (connection->front_bytes + count > connection->front_room) {
        connection->front_room = 2 * (connection->front_bytes + count);
        connection->front = realloc(connection->front, connection->front_room);
        if (connection->front == NULL)
            fail("no memory for a request");
    }
    memcpy(connection->front + connection->front_bytes, bytes, count);
    connection->front_bytes += count;
}

/* Lay the request out: head and stamp in one buffer, then a range of the pool, then the tail. */
static void prepare(Connection *connection, const Load *load)
{
    const Step *step = current(connection, load);
    uint64_t start = step->content_start, end = start + step->content_bytes;
    connection->front_bytes = connection->front_sent = connection->tail_sent = 0;
    if (step->hole == NO_HOLE) {
        append(connection, step->head, step->head_bytes);
    } else {
        append(connection, step->head, step->hole);
        append(connection, connection->location, strlen(connection->location));
        append(connection, step->head + step->hole, step->head_bytes - step->hole);
    }
    if (start < STAMP_BYTES) {
        uint64_t stamped = end < STAMP_BYTES ? end : STAMP_BYTES;
        append(connection, step->stamp + start, stamped - start);
        start = stamped;
    }
    connection->pool_at = start;
    connection->pool_end = end;
    connection->broken = false;
    response_reset(&connection->response);
}

/* Send what comes next; return what the system call did, 0 when there is nothing to send. */
static ssize_t send_some(Connection *connection, const Load *load)
{
    const Step *step = current(connection, load);
    ssize_t sent = 0;
    if (connection->front_sent < connection->front_bytes) {
        bool more = connection->pool_at < connection->pool_end || step->tail_bytes > 0;
        sent = send(connection->fd, connection->front + connection->front_sent,
                    connection->front_bytes - connection->front_sent,
                    MSG_NOSIGNAL | (more ? MSG_MORE : 0));
        if (sent > 0)
            connection->front_sent += sent;
    } else if (connection->pool_at < connection->pool_end) {
        off_t at = (step->shift + connection->pool_at) % load->pool_bytes;
        uint64_t run = connection->pool_end - connection->pool_at;
        if (run > load->pool_bytes - at)
            run = load->pool_bytes - at;
        if (run > SENDFILE_BYTES)
            run = SENDFILE_BYTES;
        sent = sendfile(connection->fd, load->pool, &at, run);
        if (sent > 0)
            connection->pool_at += sent;
    } else if (connection->tail_sent < step->tail_bytes) {
        sent = send(connection->fd, step->tail + connection->tail_sent,
                    step->tail_bytes - connection->tail_sent, MSG_NOSIGNAL);
        if (sent > 0)
            connection->tail_sent += sent;
    }
    return sent;
}

void connection_writable(Connection *connection, Load *load)
{
    while (connection->busy && !connection->broken && !all_sent(connection, load)) {
        ssize_t sent = send_some(connection, load);
        if (sent < 0 && errno == EAGAIN) {
            want_out(connection, load, true);
            return;
        }
        if (sent < 0 && errno != EINTR)
            connection->broken = true; /* the reading side will say more */
    }
    want_out(connection, load, false);
}

static void begin_step(Connection *connection, Load *load)
{
    prepare(connection, load);
    load->tally->requests++;
    connection_writable(connection, load);
}

void connection_next_job(Connection *connection, Load *load)
{
    const Plan *plan = load->plan;
    connection->busy = load->next < plan->count;
    if (!connection->busy)
        return;
    connection->step = load->next++;
    while (load->next < plan->count && plan->steps[load->next].goes_on)
        load->next++;
    connection->job_bytes = 0;
    connection->location[0] = 0;
    connection->began = nanoseconds();
    begin_step(connection, load);
}

/* A response is complete: go on with the job, or with the next. */
static void answered(Connection *connection, Load *load)
{
    const Response *response = &connection->response;
    const Plan *plan = load->plan;
    bool sent = all_sent(connection, load);
    bool good = sent && response->status >= 200 && response->status < 300;
    if (good) {
        connection->job_bytes += current(connection, load)->content_bytes;
        if (response->location[0] != 0)
            strcpy(connection->location, response->location);
    } else {
        tally_refused(load->tally, response->status, response->body, response->body_bytes);
    }
    if (response->closes || !sent)
        reopen(connection, load);
    uint32_t next = connection->step + 1;
    if (good && next < plan->count && plan->steps[next].goes_on) {
        connection->step = next;
        begin_step(connection, load);
        return;
    }
    if (good)
        tally_ok(load->tally, connection->began, connection->job_bytes);
    connection_next_job(connection, load);
}

/* The connection ended, in the middle of a job or between jobs. */
static void ended(Connection *connection, Load *load, const char *why)
{
    if (!connection->busy) {
        epoll_ctl(load->poll, EPOLL_CTL_DEL, connection->fd, NULL);
        return;
    }
    if (response_ended(&connection->response)) {
        answered(connection, load);
        return;
    }
    tally_broken(load->tally, &load->tally->closed, why);
    reopen(connection, load);
    connection_next_job(connection, load);
}

void connection_readable(Connection *connection, Load *load)
{
    static char bytes[READ_BYTES];
    ssize_t count = recv(connection->fd, bytes, sizeof bytes, 0);
    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR)
            ended(connection, load, strerror(errno));
        return;
    }
    if (count == 0) {
        ended(connection, load, "the server closed the connection without an answer");
        return;
    }
    if (!connection->busy)
        return;
    size_t used = response_take(&connection->response, bytes, count);
    Phase phase = connection->response.phase;
    if (phase == NOT_HTTP || (phase == COMPLETE && used < (size_t)count)) {
        tally_broken(load->tally, &load->tally->garbled, "the answer was not HTTP");
        reopen(connection, load);
        connection_next_job(connection, load);
    } else if (phase == COMPLETE) {
        answered(connection, load);
    }
}
