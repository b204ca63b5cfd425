#define _GNU_SOURCE
#include "response.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_SIZE_DIGITS = 8, EXTENSION = MOST_SIZE_DIGITS + 1 };

void response_reset(Response *response)
{
    response->phase = IN_HEAD;
    response->status = 0;
    response->closes = false;
    response->left = 0;
    response->line_bytes = 0;
    response->location[0] = 0;
    response->body_bytes = 0;
    response->head_bytes = 0;
}

/* Return the value of a header in a terminated head, or NULL; *bytes is its length. */
static const char *header(const char *head, const char *name, size_t *bytes)
{
    size_t name_bytes = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_bytes) == 0 && line[name_bytes] == ':') {
            const char *value = line + name_bytes + 1;
            while (*value == ' ')
                value++;
            *bytes = strcspn(value, "\r");
            return value;
        }
    }
    return NULL;
}

/* Keep the path of a Location, whether it was given with or without scheme and host. */
static void keep_location(Response *response)
{
    size_t bytes;
    const char *value = header(response->head, "Location", &bytes);
    if (value == NULL)
        return;
    const char *end = value + bytes;
    const char *host = memmem(value, bytes, "://", 3);
    if (host != NULL) {
        value = memchr(host + 3, '/', end - host - 3);
        if (value == NULL)
            return;
    }
    bytes = end - value;
    if (bytes >= MOST_LOCATION)
        return;
    memcpy(response->location, value, bytes);
    response->location[bytes] = 0;
}

static void head_complete(Response *response)
{
    size_t bytes;
    const char *value;
    if (strncmp(response->head, "HTTP/1.", 7) != 0 || response->head_bytes < 12) {
        response->phase = NOT_HTTP;
        return;
    }
    int status = atoi(response->head + 9);
    if (status >= 100 && status < 200) { /* an interim response: the real one follows */
        response_reset(response);
        return;
    }
    response->status = status;
    value = header(response->head, "Connection", &bytes);
    response->closes = value != NULL && bytes == 5 && strncasecmp(value, "close", 5) == 0;
    keep_location(response);
    if (status == 204 || status == 304) {
        response->phase = COMPLETE;
    } else if ((value = header(response->head, "Content-Length", &bytes)) != NULL) {
        response->left = strtoull(value, NULL, 10);
        response->phase = response->left > 0 ? IN_BODY : COMPLETE;
    } else if (header(response->head, "Transfer-Encoding", &bytes) != NULL) {
        response->left = 0;
        response->phase = IN_CHUNK_SIZE;
    } else {
        response->closes = true;
        response->phase = UNTIL_CLOSE;
    }
}

static void take_head_byte(Response *response, char byte)
{
    if (response->head_bytes + 1 >= MOST_RESPONSE_HEAD) {
        response->phase = NOT_HTTP;
        return;
    }
    response->head[response->head_bytes++] = byte;
    size_t n = response->head_bytes;
    if (byte == '\n' && n >= 4 && memcmp(response->head + n - 4, "\r\n\r\n", 4) == 0) {
        response->head[n] = 0;
        head_complete(response);
    }
}

static void take_chunk_size_byte(Response *response, char byte)
{
    if (byte == '\n') {
        response->line_bytes = 0;
        if (response->left == 0) {
            response->phase = IN_TRAILER;
        } else {
            response->left += 2; /* its own line end */
            response->phase = IN_CHUNK;
        }
    } else if (byte == ';') {
        response->line_bytes = EXTENSION; /* says nothing about the size */
    } else if (byte != '\r' && response->line_bytes != EXTENSION) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = byte == 0 ? NULL : strchr(digits, byte | 0x20);
        if (digit == NULL || ++response->line_bytes > MOST_SIZE_DIGITS)
            response->phase = NOT_HTTP;
        else
            response->left = response->left * 16 + (digit - digits);
    }
}

static void take_trailer_byte(Response *response, char byte)
{
    if (byte == '\n') {
        if (response->line_bytes == 0)
            response->phase = COMPLETE;
        response->line_bytes = 0;
    } else if (byte != '\r') {
        response->line_bytes++;
    }
}

/* Take as much of the body as there is, and keep how it begins. */
static size_t take_run(Response *response, const char *bytes, size_t count)
{
    size_t run = response->phase == UNTIL_CLOSE || count < response->left ? count : response->left;
    size_t room = KEPT_BODY - response->body_bytes, kept = run < room ? run : room;
    memcpy(response->body + response->body_bytes, bytes, kept);
    response->body_bytes += kept;
    if (response->phase != UNTIL_CLOSE) {
        response->left -= run;
        if (response->left == 0)
            response->phase = response->phase == IN_BODY ? COMPLETE : IN_CHUNK_SIZE;
    }
    return run;
}

size_t response_take(Response *response, const char *bytes, size_t count)
{
    size_t used = 0;
    while (used < count && response->phase != COMPLETE && response->phase != NOT_HTTP) {
        switch (response->phase) {
        case IN_HEAD:
            take_head_byte(response, bytes[used++]);
            break;
        case IN_CHUNK_SIZE:
            take_chunk_size_byte(response, bytes[used++]);
            break;
        case IN_TRAILER:
            take_trailer_byte(response, bytes[used++]);
            break;
        default:
            used += take_run(response, bytes + used, count - used);
            break;
        }
    }
    return used;
}

bool response_ended(Response *response)
{
    if (response->phase == UNTIL_CLOSE)
        response->phase = COMPLETE;
    return response->phase == COMPLETE;
}
