/* test_peers.c - connections of an address are counted, those of this machine are not limited, and
 * who is late is cut. */
#include "http/peers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <unistd.h>

static struct sockaddr_in v4(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    cr_assert_eq(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return address;
}

static bool may_come(struct xl_peers *peers, const char *text) {
    struct sockaddr_in address = v4(text);
    return xl_peers_may_come(peers, (const struct sockaddr *)&address);
}

static struct xl_peer *add(struct xl_peers *peers, int fd, const char *text) {
    struct sockaddr_in address = v4(text);
    return xl_peers_add(peers, fd, (const struct sockaddr *)&address);
}

Test(peers, of_an_address) {
    struct xl_peers *peers = NULL;
    struct xl_peer *some[6];
    cr_assert_eq(xl_peers_new(2, &peers, NULL), XL_OK);
    some[0] = add(peers, -1, "192.0.2.1");
    cr_expect(may_come(peers, "192.0.2.1"));
    some[1] = add(peers, -1, "192.0.2.1");
    cr_expect(!may_come(peers, "192.0.2.1"));
    cr_expect(may_come(peers, "192.0.2.2"));
    for (int i = 2; i < 5; i++) some[i] = add(peers, -1, "127.0.0.1");
    cr_expect(may_come(peers, "127.0.0.1"), "a proxy of this machine speaks for many");
    cr_expect_str_eq(some[0]->text, "192.0.2.1");
    cr_expect(!some[0]->is_loopback && some[2]->is_loopback);
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &mapped.sin6_addr);
    cr_expect(!xl_peers_may_come(peers, (const struct sockaddr *)&mapped), "the same address");
    some[5] = xl_peers_add(peers, -1, (const struct sockaddr *)&mapped);
    cr_expect_str_eq(some[5]->text, "192.0.2.1");
    cr_expect_eq(xl_peers_count(peers).n, 6);
    for (int i = 0; i < 6; i++) xl_peers_remove(peers, some[(i + 3) % 6]);
    cr_expect_eq(xl_peers_count(peers).n, 0);
    xl_peers_free(peers);
}

Test(peers, who_is_late) {
    struct xl_peers *peers = NULL;
    int late[2], patient[2];
    char byte;
    cr_assert_eq(xl_peers_new(2, &peers, NULL), XL_OK);
    cr_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, late) &&
              !socketpair(AF_UNIX, SOCK_STREAM, 0, patient));
    struct xl_peer *one = add(peers, late[0], "127.0.0.1");
    struct xl_peer *two = add(peers, patient[0], "127.0.0.1");
    xl_peer_expect(one, 0.01);
    xl_peer_expect(two, 0.01);
    xl_peer_expect(two, 0);
    cr_expect_eq(recv(late[1], &byte, 1, 0), 0, "it is cut");
    cr_expect_eq(recv(patient[1], &byte, 1, MSG_DONTWAIT), -1, "it is not");
    cr_expect_eq(xl_peers_count(peers).n_cut, 1);
    xl_peers_remove(peers, one);
    xl_peers_remove(peers, two);
    xl_peers_free(peers);
    for (int i = 0; i < 2; i++) close(late[i]), close(patient[i]);
}
