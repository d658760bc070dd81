/* engine_painter.h - the painter that draws with the engine in this process. It owns the device,
 * which is opened with the first model.
 */
#ifndef XL_LAB_ENGINE_PAINTER_H
#define XL_LAB_ENGINE_PAINTER_H

#include "lab/run/painter.h"

/* settings: borrowed, for device, threads and memory. Errors: XL_ENOMEM */
enum xl_status xl_engine_painter_new(const struct xl_settings *settings, struct xl_painter **out,
                                     struct xl_err *err) XL_CHECKED;

#endif
