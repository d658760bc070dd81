/* http_curl.c - requests with libcurl. Owns a handle of it for each xl_http; its global state is
 * set up once, when the first is made. */
#include "hub/download/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_HOPS = 10, MAX_ADDRESS = 8192, CONNECT_S = 10, BUFFER_BYTES = 256 << 10 };

struct xl_http {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
    /* Of the request that runs: */
    const struct xl_http_request *request;
    struct xl_http_answer *answer;
    bool has_begun, was_stopped;
    char location[MAX_ADDRESS];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_code;

static void init_global(void) {
    global_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum xl_status xl_http_new(struct xl_http **out, struct xl_err *err) {
    pthread_once(&once, init_global);
    if (global_code)
        return xl_fail(err, XL_ENETWORK, "libcurl does not start: %s",
                       curl_easy_strerror(global_code));
    struct xl_http *http = calloc(1, sizeof *http);
    if (http) http->curl = curl_easy_init();
    if (!http || !http->curl) {
        free(http);
        return xl_fail_nomem(err, "a connection", 0);
    }
    *out = http;
    return XL_OK;
}

void xl_http_free(struct xl_http *http) {
    if (!http) return;
    curl_easy_cleanup(http->curl);
    free(http);
}

/* --- Headers -----------------------------------------------------------------------------------
 */

/* The value of a header in out, "" where the line has another name. */
static bool read_header(const char *line, size_t n, const char *name, char *out, size_t size) {
    size_t len = strlen(name);
    if (n <= len || strncasecmp(line, name, len) || line[len] != ':') return false;
    line += len + 1, n -= len + 1;
    while (n && (*line == ' ' || *line == '\t')) line++, n--;
    while (n && strchr(" \t\r\n", line[n - 1])) n--;
    snprintf(out, size, "%.*s", n < size ? (int)n : 0,
             line); /* too long: as if it were not there */
    return true;
}

/* <ADDRESS>; rel="next", among others with commas between. */
static void read_link(const char *value, char *out, size_t size) {
    out[0] = 0;
    for (const char *at = strchr(value, '<'); at; at = strchr(at + 1, '<')) {
        const char *end = strchr(at, '>');
        if (!end) return;
        size_t n = strcspn(end, ",<");
        const char *rel = strstr(end, "rel=\"next\"");
        if (rel && rel < end + n && (size_t)(end - at) <= size)
            snprintf(out, size, "%.*s", (int)(end - at - 1), at + 1);
    }
}

static size_t on_header(char *line, size_t one, size_t n, void *user) {
    struct xl_http *http = user;
    struct xl_http_answer *answer = http->answer;
    char value[MAX_ADDRESS];
    long long from, to, total;
    if (n > 5 && !strncmp(line, "HTTP/", 5)) { /* also after "100 Continue" and of a proxy */
        *answer = (struct xl_http_answer){.range_from = -1, .range_total = -1, .retry_after_s = -1};
        http->location[0] = 0;
    } else if (read_header(line, n, "Location", value, sizeof value)) {
        snprintf(http->location, sizeof http->location, "%s", value);
    } else if (read_header(line, n, "Link", value, sizeof value)) {
        read_link(value, answer->next, sizeof answer->next);
    } else if (read_header(line, n, "X-Error-Code", value, sizeof value)) {
        snprintf(answer->error, sizeof answer->error, "%.60s", value);
    } else if (read_header(line, n, "Retry-After", value, sizeof value)) {
        /* Seconds; a date is not read, and the usual pause is made. */
        if (value[0] && strspn(value, "0123456789") == strlen(value))
            answer->retry_after_s = strlen(value) < 6 ? atoi(value) : 99999;
    } else if (read_header(line, n, "Content-Range", value, sizeof value)) {
        if (sscanf(value, "bytes %lld-%lld/%lld", &from, &to, &total) == 3) {
            answer->range_from = from;
            answer->range_total = total;
        }
    }
    return one * n;
}

/* --- Bodies ------------------------------------------------------------------------------------
 */

static size_t on_data(char *bytes, size_t one, size_t n, void *user) {
    struct xl_http *http = user;
    const struct xl_http_request *request = http->request;
    long code = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200 && code != 206) return one * n;
    http->answer->code = (int)code;
    bool goes_on = http->has_begun || !request->begin ||
                   request->begin(request->user, http->answer);
    http->has_begun = true;
    if (goes_on) goes_on = request->data(request->user, bytes, one * n);
    http->was_stopped |= !goes_on;
    return goes_on ? one * n : 0;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    struct xl_http *http = user;
    (void)a, (void)b, (void)c, (void)d;
    bool goes_on = http->request->goes_on(http->request->user);
    http->was_stopped |= !goes_on;
    return goes_on ? 0 : 1;
}

/* --- A request ---------------------------------------------------------------------------------
 */

/* Where the machine keeps its certificates, when somebody says so: the variables of curl's command,
 * of OpenSSL and of Python's libraries. */
static void set_certificates(CURL *curl) {
    static const char *const names[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = getenv(names[i]);
        if (!path || !path[0]) continue;
        curl_easy_setopt(curl, CURLOPT_CAINFO, path);
        return;
    }
}

static void set_schemes(CURL *curl) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_up(struct xl_http *http, const struct xl_http_request *request, const char *url) {
    CURL *curl = http->curl;
    char range[32];
    curl_easy_reset(curl); /* connections stay open */
    http->error[0] = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    set_schemes(curl);
    set_certificates(curl);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sdxl-lab/" XL_VERSION);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)request->timeout_s);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, http);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
    snprintf(range, sizeof range, "%lld-", (long long)request->from);
    if (request->from) curl_easy_setopt(curl, CURLOPT_RANGE, range);
}

/* False: out of memory. */
static bool add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

/* Ask one address, as it is. */
static CURLcode perform(struct xl_http *http, const char *url, const char *token) {
    struct curl_slist *lines = NULL;
    char line[1200];
    snprintf(line, sizeof line, "Authorization: Bearer %s", token ? token : "");
    bool ok = add_line(&lines, "Accept-Encoding: identity") && (!token || add_line(&lines, line));
    explicit_bzero(line, sizeof line);
    set_up(http, http->request, url);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, lines);
    CURLcode code = ok ? curl_easy_perform(http->curl) : CURLE_OUT_OF_MEMORY;
    long answer = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer);
    http->answer->code = (int)answer;
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(lines);
    return code;
}

/* --- Redirects ---------------------------------------------------------------------------------
 */

static bool is_redirect(int code) {
    return code == 301 || code == 302 || code == 303 || code == 307 || code == 308;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part) {
    char *x = NULL, *y = NULL;
    bool same = !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
                !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) && !strcasecmp(x, y);
    curl_free(x);
    curl_free(y);
    return same;
}

static bool is_secure(CURLU *url) {
    char *scheme = NULL;
    bool is = !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) && !strcasecmp(scheme, "https");
    curl_free(scheme);
    return is;
}

/* Follow http->location, which may be relative, from `url`, which is replaced. *is_elsewhere:
 * another host, port or scheme. NULL, or what is wrong with it. */
static const char *follow(struct xl_http *http, char url[MAX_ADDRESS], bool *is_elsewhere) {
    CURLU *from = curl_url(), *to = curl_url();
    char *text = NULL;
    const char *why = NULL;
    if (!from || !to || curl_url_set(from, CURLUPART_URL, url, 0) ||
        curl_url_set(to, CURLUPART_URL, url, 0))
        why = "out of memory";
    else if (curl_url_set(to, CURLUPART_URL, http->location, 0) ||
             curl_url_get(to, CURLUPART_URL, &text, 0) || strlen(text) >= MAX_ADDRESS)
        why = "it redirects to what is no address";
    else if (is_secure(from) && !is_secure(to))
        why = "it redirects from https to an address that is not";
    else {
        *is_elsewhere = !same_part(from, to, CURLUPART_HOST) ||
                        !same_part(from, to, CURLUPART_PORT) ||
                        !same_part(from, to, CURLUPART_SCHEME);
        strcpy(url, text);
    }
    curl_free(text);
    curl_url_cleanup(from);
    curl_url_cleanup(to);
    return why;
}

/* "https://host" of an address: what may be said of one, as the rest of a redirect's may be signed.
 */
static int host_length(const char *url) {
    const char *host = strstr(url, "://");
    return host ? (int)(host + 3 - url + (int)strcspn(host + 3, "/?#")) : 0;
}

static enum xl_status fail(struct xl_http *http, CURLcode code, const char *url,
                           struct xl_err *err) {
    static const CURLcode hopeless[] = {CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
                                        CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL};
    if (http->was_stopped) return XL_ECANCELLED;
    if (code == CURLE_OUT_OF_MEMORY) return xl_fail_nomem(err, "a connection", 0);
    for (size_t i = 0; i < sizeof hopeless / sizeof *hopeless; i++)
        http->answer->is_hopeless |= code == hopeless[i];
    return xl_fail(err, XL_ENETWORK, "%.*s: %s", host_length(url), url,
                   http->error[0] ? http->error : curl_easy_strerror(code));
}

enum xl_status xl_http_get(struct xl_http *http, const struct xl_http_request *request,
                           struct xl_http_answer *answer, struct xl_err *err) {
    char url[MAX_ADDRESS];
    const char *token = request->token;
    http->request = request;
    http->answer = answer;
    http->has_begun = http->was_stopped = false;
    *answer = (struct xl_http_answer){.range_from = -1, .range_total = -1, .retry_after_s = -1};
    if (strlen(request->url) >= sizeof url)
        return xl_fail(err, XL_ENETWORK, "an address is too long");
    strcpy(url, request->url);
    for (int hop = 0; hop <= MAX_HOPS; hop++) {
        CURLcode code = perform(http, url, token);
        if (code) return fail(http, code, url, err);
        if (!is_redirect(answer->code) || !http->location[0]) return XL_OK;
        bool is_elsewhere = false;
        int n = host_length(url);
        char host[512];
        snprintf(host, sizeof host, "%.*s", n, url);
        const char *why = follow(http, url, &is_elsewhere);
        answer->is_hopeless = why != NULL;
        if (why) return xl_fail(err, XL_ENETWORK, "%s: %s", host, why);
        if (is_elsewhere) token = NULL;
    }
    answer->is_hopeless = true;
    return xl_fail(err, XL_ENETWORK, "%.*s: more than %d redirects", host_length(request->url),
                   request->url, MAX_HOPS);
}
