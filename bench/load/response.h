/* Reading one HTTP/1.1 response from a stream, as it comes in. */
#ifndef LOAD_RESPONSE_H
#define LOAD_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOST_RESPONSE_HEAD = 16 << 10, MOST_LOCATION = 1024, KEPT_BODY = 400 };

typedef enum {
    IN_HEAD,
    IN_BODY,        /* `left` more bytes */
    IN_CHUNK_SIZE,  /* hexadecimal digits, up to the line's end */
    IN_CHUNK,       /* `left` more bytes, its line end included */
    IN_TRAILER,     /* lines, up to an empty one */
    UNTIL_CLOSE,    /* no length was given */
    COMPLETE,
    NOT_HTTP,
} Phase;

typedef struct {
    Phase phase;
    int status;
    bool closes; /* the server will close the connection after this response */
    uint64_t left;
    size_t line_bytes;
    char location[MOST_LOCATION]; /* path of the `Location` header; empty without one */
    char body[KEPT_BODY];         /* how the body begins, to explain a failure */
    size_t body_bytes;
    char head[MOST_RESPONSE_HEAD];
    size_t head_bytes;
} Response;

/* Forget everything: the next byte begins a response. */
void response_reset(Response *response);

/* Take in bytes as they arrived and return how many belonged to this response. */
size_t response_take(Response *response, const char *bytes, size_t count);

/* The connection ended: return whether the response is complete by that. */
bool response_ended(Response *response);

#endif
