/* Ending the program with a sentence. */
#ifndef LOAD_FAIL_H
#define LOAD_FAIL_H

/* Status 2: nothing was measured, and the sentence on stderr says why. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, with the reason of the failed system call. */
_Noreturn void fail_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
