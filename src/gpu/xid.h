/* xid.h - what the driver's error numbers (Xids) and the state of its memory mean for the use of a
 * GPU. Source: NVIDIA, "XID Errors" and "GPU Memory Error Management".
 */
#ifndef XL_GPU_XID_H
#define XL_GPU_XID_H

#include "sdxl/gpu.h"

/* Whether a GPU cannot be used after it; other Xids end the program that caused them. */
bool xl_xid_is_fatal(int xid);

/* A few words for it; "an error" for one that is not known. */
const char *xl_xid_text(int xid);

/* Fill in gpu->fault, if it has none, from its Xid, the recovery that the driver asks for and its
 * memory. */
void xl_xid_judge(struct xl_gpu *gpu);

#endif
