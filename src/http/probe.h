/* probe.h - whether a server is well, asked from this machine: for health checks where there is no
 * other program that speaks HTTP.
 */
#ifndef XL_HTTP_PROBE_H
#define XL_HTTP_PROBE_H

#include "base/status.h"

/* Ask /healthz of the server that has this port of an address (as --bind has it). Waits ten seconds
 * for somebody to listen, and five for the answer.
 * Errors: XL_EINVAL no such address; XL_ENETWORK nobody listens, or it is not well */
enum xl_status xl_server_probe(const char *bind, int port, struct xl_err *err) XL_CHECKED;

#endif
