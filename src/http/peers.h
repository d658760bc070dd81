/* peers.h - the connections of a server: how many there are of an address, and which have been
 * silent for too long. A client that sends a byte now and then keeps libmicrohttpd's own clock from
 * running out; here a request has to be whole by a moment.
 */
#ifndef XL_HTTP_PEERS_H
#define XL_HTTP_PEERS_H

#include "base/status.h"

#include <stdatomic.h>
#include <sys/socket.h>

struct xl_peers; /* opaque; any thread */

struct xl_peer {
    int fd;
    unsigned char address[16]; /* IPv4 as IPv6 has it */
    bool is_loopback;
    char text[48];
    atomic_llong deadline; /* ms of the monotonic clock; 0: none */
    struct xl_peer *before, *next;
};

/* Errors: XL_ENOMEM, also for a thread */
enum xl_status xl_peers_new(int per_address, struct xl_peers **out, struct xl_err *err) XL_CHECKED;
void xl_peers_free(struct xl_peers *peers); /* NULL is fine; none may be left */

/* Whether another one from this address may come. */
bool xl_peers_may_come(struct xl_peers *peers, const struct sockaddr *address);

/* NULL: out of memory */
struct xl_peer *xl_peers_add(struct xl_peers *peers, int fd, const struct sockaddr *address);
/* Before its descriptor is closed. */
void xl_peers_remove(struct xl_peers *peers, struct xl_peer *peer);

/* Cut it off in so many seconds, unless another moment is said before; 0: never. */
void xl_peer_expect(struct xl_peer *peer, double seconds);

struct xl_peers_count {
    int n;
    long long n_cut; /* since the start */
};
struct xl_peers_count xl_peers_count(struct xl_peers *peers);

#endif
