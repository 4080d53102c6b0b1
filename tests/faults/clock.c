/* A wall clock that jumps, for LD_PRELOAD: ten times a second it is another one of -12 to +12 hours off.
   Other clocks, which no administrator can set, are as they are. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    static uint64_t seed;
    if (!seed)
        seed = 1 + (getenv("CLOCK_SEED") ? strtoull(getenv("CLOCK_SEED"), 0, 10) : 0);
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    uint64_t x = seed * 0x9E3779B97F4A7C15u + now.tv_sec * 10 + now.tv_nsec / 100000000;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (long)((x ^ (x >> 31)) % 86400) - 43200;
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
