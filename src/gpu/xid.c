/* xid.c - the table of Xids, and whether a GPU can be used. Keeps no state; any thread. */
#include "gpu/xid.h"

#include <stdio.h>

static const struct {
    int xid;
    bool is_fatal;
    const char *text;
} xids[] = {
    {13, false, "a program's error in a kernel"},
    {31, false, "a program's access to memory that is not its own"},
    {43, false, "a program's error stopped it"},
    {45, false, "a program's work was cleared away"},
    {48, true, "memory error that could not be corrected"},
    {61, true, "its microcontroller halted"},
    {62, true, "its microcontroller halted"},
    {63, false, "a row or page of memory was taken out of use"},
    {64, true, "a row or page of memory could not be taken out of use"},
    {74, true, "NVLink error"},
    {79, true, "fell off the bus"},
    {92, false, "many corrected memory errors"},
    {94, false, "memory error that ended one program"},
    {95, true, "memory error that was not contained"},
    {109, false, "a program's context switch timed out"},
    {119, true, "its firmware does not answer"},
    {120, true, "its firmware failed"},
    {140, true, "memory error that could not be recovered"},
    {143, true, "it could not be initialised"},
};
enum { N_XIDS = sizeof xids / sizeof *xids };

static int find(int xid) {
    for (int i = 0; i < N_XIDS; i++)
        if (xids[i].xid == xid) return i;
    return -1;
}

bool xl_xid_is_fatal(int xid) {
    int i = find(xid);
    return i >= 0 && xids[i].is_fatal;
}

const char *xl_xid_text(int xid) {
    int i = find(xid);
    return i >= 0 ? xids[i].text : "an error";
}

void xl_xid_judge(struct xl_gpu *gpu) {
    static const char *const actions[] = {
        "", "a reset", "a reboot of the host", "its peers to be drained", "to be drained and reset",
    };
    enum { N_ACTIONS = sizeof actions / sizeof *actions };
    int action = gpu->recovery_action;
    if (gpu->fault[0]) return;
    if (xl_xid_is_fatal(gpu->xid))
        snprintf(gpu->fault, sizeof gpu->fault, "Xid %d: %s", gpu->xid, xl_xid_text(gpu->xid));
    else if (action > 0)
        snprintf(gpu->fault, sizeof gpu->fault, "the driver asks for %s",
                 action < N_ACTIONS ? actions[action] : "its recovery");
}
