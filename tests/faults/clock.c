/* A wall clock that is set, for LD_PRELOAD: CLOCK_STEPS="2:3600,5:-7200" sets it an hour ahead two seconds after
   CLOCK_START (of the monotonic clock), and three seconds later two hours back. Other clocks, which nobody can
   set, are as they are. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t offset(void)
{
    const char *next = getenv("CLOCK_STEPS"), *start = getenv("CLOCK_START");
    time_t sum = 0;
    if (!next || !start)
        return 0;
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    long passed = now.tv_sec - atol(start);
    while (*next) {
        char *end;
        long at = strtol(next, &end, 10);
        if (*end != ':')
            break;
        long step = strtol(end + 1, &end, 10);
        if (passed >= at)
            sum += step;
        next = *end ? end + 1 : end;
    }
    return sum;
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int failed = syscall(SYS_clock_gettime, clock, out);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        out->tv_sec += offset();
    return failed;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
