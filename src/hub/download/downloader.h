/* downloader.h - what a downloader holds. Internal to this folder. */
#ifndef XL_HUB_DOWNLOAD_DOWNLOADER_H
#define XL_HUB_DOWNLOAD_DOWNLOADER_H

#include "hub/download/ask.h"
#include "hub/download/download.h"

struct xl_downloader {
    struct xl_arena arena; /* has the endpoint's texts */
    struct xl_endpoint endpoint;
    struct xl_http *http; /* of the thread that plans */
    bool (*goes_on)(void *user);
    void *user;
};

#endif
