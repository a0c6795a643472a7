/* SPDX-License-Identifier: MIT */
/*
 * adapter_list.h - the adapters there are, for the table of adapter.c
 */
#ifndef CHANNEL_ADAPTER_LIST_H
#define CHANNEL_ADAPTER_LIST_H

#include "broker/format.h"
#include "channel/adapter.h"

#define DECLARE_ADAPTER(id, name) extern const struct adapter adapter_##id;
FORMAT_ROWS(DECLARE_ADAPTER)
#undef DECLARE_ADAPTER

/* Not a p_format of its own: json with p_callback. */
extern const struct adapter adapter_jsonp;

#endif
