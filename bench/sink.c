/* The other end of every delivery that is measured: takes requests as fast as a C program can, and notes each.
 *
 * sink RECORDS MOST: listens on a free port of 127.0.0.1 and prints it. RECORDS is a file that is mapped into memory: one
 * 64-bit count, then a record for each POST (see struct record), at most MOST of them; a reader sees both at once, and may
 * set the count back to 0. Ends when its standard input does.
 *
 * A request must have a Content-Length or no body, and fit into BUFFER bytes. The listener is the number that the target
 * ends with (POST /7), the seq the first "seq": in the body; each is 0 where it is missing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 8192, EVENTS = 256, AWAKE = 50 * 1000 * 1000 /* nanoseconds after the last event */ };

struct record {
    uint32_t listener, size; /* of the body, in bytes */
    uint64_t seq, at; /* nanoseconds on CLOCK_MONOTONIC */
};

struct connection {
    int fd;
    size_t have;
    char buffer[BUFFER + 1];
};

static volatile uint64_t *count;
static struct record *records;
static uint64_t most;

static const char TAKEN[] = "HTTP/1.1 204 No Content\r\n\r\n";
static const char HERE[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void die(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000000000ull + at.tv_nsec;
}

static void note(const char *target, const char *end, const char *body, size_t length) {
    uint64_t noted = now();
    const char *seq = memmem(body, length, "\"seq\":", 6), *digits = end;
    while (digits > target && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    uint64_t at = *count;
    if (at < most) {
        records[at] = (struct record){strtoul(digits, NULL, 10), length, seq ? strtoull(seq + 6, NULL, 10) : 0,
                                      noted};
        *count = at + 1;
    }
}

/* Answer one whole request at the start of the buffer; return its length, 0 where it is not whole yet. */
static size_t answer(struct connection *c) {
    c->buffer[c->have] = 0;
    char *blank = memmem(c->buffer, c->have, "\r\n\r\n", 4);
    if (!blank)
        return 0;
    *blank = 0; /* so that no search runs into the body */
    char *header = strcasestr(c->buffer, "\r\ncontent-length:");
    size_t head = blank + 4 - c->buffer, length = header ? strtoul(header + 17, NULL, 10) : 0;
    *blank = '\r';
    if (c->have < head + length)
        return 0;
    int posted = !memcmp(c->buffer, "POST ", 5);
    const char *reply = posted ? TAKEN : HERE;
    if (posted) {
        char *target = c->buffer + 5, *end = strchr(target, ' ');
        note(target, end ? end : target, blank + 4, length);
    }
    if (send(c->fd, reply, strlen(reply), MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
        die("send");
    return head + length;
}

static int serve(struct connection *c) {
    ssize_t got = recv(c->fd, c->buffer + c->have, BUFFER - c->have, 0);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    c->have += got;
    for (size_t done; c->have && (done = answer(c)); c->have -= done)
        memmove(c->buffer, c->buffer + done, c->have - done);
    return c->have < BUFFER;
}

static void accept_all(int listening, int epoll) {
    int fd, on = 1;
    while ((fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct connection *c = malloc(sizeof *c);
        c->fd = fd;
        c->have = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = c});
    }
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &size))
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void map(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    size_t size = sizeof *count + most * sizeof *records;
    void *at = fd < 0 || ftruncate(fd, size) ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED)
        die(path);
    count = at;
    records = (struct record *)(count + 1);
}

int main(int argc, char **argv) {
    if (argc != 3)
        return fprintf(stderr, "usage: %s RECORDS MOST\n", argv[0]), 2;
    most = strtoull(argv[2], NULL, 10);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    map(argv[1]);
    int listening = listen_somewhere(), epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listening});
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    for (uint64_t busy_until = 0;;) {
        struct epoll_event events[EVENTS];
        /* Waking a process that sleeps on another processor costs whoever sends, and that is not what is measured. */
        int ready = epoll_wait(epoll, events, EVENTS, now() < busy_until ? 0 : -1);
        if (ready)
            busy_until = now() + AWAKE;
        else
            sched_yield(); /* the feeder has this processor too */
        for (int i = 0; i < ready; i++) {
            char ended;
            if (!events[i].data.ptr && read(0, &ended, 1) <= 0)
                return 0;
            if (events[i].data.ptr == &listening)
                accept_all(listening, epoll);
            else if (events[i].data.ptr && !serve(events[i].data.ptr)) {
                struct connection *c = events[i].data.ptr;
                close(c->fd);
                free(c);
            }
        }
    }
}
