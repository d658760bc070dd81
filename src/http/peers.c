/* peers.c - a list of connections, and a thread that looks through it once a second. */
#include "http/peers.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct xl_peers {
    pthread_mutex_t mutex;
    pthread_cond_t ending;
    pthread_t thread;
    struct xl_peer *first;
    int n, per_address;
    long long n_cut;
    bool is_ending;
};

static long long now_ms(void) {
    return (long long)(xl_now_s() * 1000);
}

static void read_address(const struct sockaddr *address, unsigned char out[16]) {
    memset(out, 0, 16);
    if (address->sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    } else if (address->sa_family == AF_INET) {
        out[10] = out[11] = 0xff;
        memcpy(out + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
}

static bool is_v4(const unsigned char address[16]) {
    static const unsigned char beginning[12] = {[10] = 0xff, [11] = 0xff};
    return !memcmp(address, beginning, sizeof beginning);
}

static bool is_loopback(const unsigned char address[16]) {
    static const unsigned char v6[16] = {[15] = 1};
    return (is_v4(address) && address[12] == 127) || !memcmp(address, v6, sizeof v6);
}

static void cut_late_ones(struct xl_peers *peers) {
    long long now = now_ms();
    for (struct xl_peer *peer = peers->first; peer; peer = peer->next) {
        long long deadline = atomic_load_explicit(&peer->deadline, memory_order_relaxed);
        if (!deadline || now < deadline) continue;
        atomic_store_explicit(&peer->deadline, 0, memory_order_relaxed);
        shutdown(peer->fd, SHUT_RDWR); /* who reads it is told, and closes it */
        peers->n_cut++;
    }
}

static void *watch(void *user) {
    struct xl_peers *peers = user;
    pthread_mutex_lock(&peers->mutex);
    while (!peers->is_ending) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        pthread_cond_timedwait(&peers->ending, &peers->mutex, &until);
        cut_late_ones(peers);
    }
    pthread_mutex_unlock(&peers->mutex);
    return NULL;
}

enum xl_status xl_peers_new(int per_address, struct xl_peers **out, struct xl_err *err) {
    pthread_condattr_t attributes;
    struct xl_peers *peers = calloc(1, sizeof *peers);
    if (!peers) return xl_fail_nomem(err, "connections", 0);
    peers->per_address = per_address;
    pthread_mutex_init(&peers->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&peers->ending, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&peers->thread, NULL, watch, peers)) {
        free(peers);
        return xl_fail_nomem(err, "a thread of the server", 0);
    }
    *out = peers;
    return XL_OK;
}

void xl_peers_free(struct xl_peers *peers) {
    if (!peers) return;
    pthread_mutex_lock(&peers->mutex);
    peers->is_ending = true;
    pthread_cond_signal(&peers->ending);
    pthread_mutex_unlock(&peers->mutex);
    pthread_join(peers->thread, NULL);
    pthread_cond_destroy(&peers->ending);
    pthread_mutex_destroy(&peers->mutex);
    free(peers);
}

bool xl_peers_may_come(struct xl_peers *peers, const struct sockaddr *address) {
    unsigned char from[16];
    int n = 0;
    read_address(address, from);
    if (is_loopback(from)) return true;
    pthread_mutex_lock(&peers->mutex);
    for (struct xl_peer *peer = peers->first; peer; peer = peer->next)
        n += !memcmp(peer->address, from, sizeof from);
    pthread_mutex_unlock(&peers->mutex);
    return n < peers->per_address;
}

struct xl_peer *xl_peers_add(struct xl_peers *peers, int fd, const struct sockaddr *address) {
    struct xl_peer *peer = calloc(1, sizeof *peer);
    if (!peer) return NULL;
    peer->fd = fd;
    read_address(address, peer->address);
    peer->is_loopback = is_loopback(peer->address);
    bool v4 = is_v4(peer->address);
    inet_ntop(v4 ? AF_INET : AF_INET6, peer->address + (v4 ? 12 : 0), peer->text,
              sizeof peer->text);
    pthread_mutex_lock(&peers->mutex);
    peer->next = peers->first;
    if (peer->next) peer->next->before = peer;
    peers->first = peer;
    peers->n++;
    pthread_mutex_unlock(&peers->mutex);
    return peer;
}

void xl_peers_remove(struct xl_peers *peers, struct xl_peer *peer) {
    if (!peer) return;
    pthread_mutex_lock(&peers->mutex);
    if (peer->next) peer->next->before = peer->before;
    if (peer->before)
        peer->before->next = peer->next;
    else
        peers->first = peer->next;
    peers->n--;
    pthread_mutex_unlock(&peers->mutex);
    free(peer);
}

void xl_peer_expect(struct xl_peer *peer, double seconds) {
    long long deadline = seconds > 0 ? now_ms() + (long long)(seconds * 1000) : 0;
    if (peer) atomic_store_explicit(&peer->deadline, deadline, memory_order_relaxed);
}

struct xl_peers_count xl_peers_count(struct xl_peers *peers) {
    pthread_mutex_lock(&peers->mutex);
    struct xl_peers_count count = {peers->n, peers->n_cut};
    pthread_mutex_unlock(&peers->mutex);
    return count;
}
