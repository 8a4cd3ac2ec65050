/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which way a branch goes for the usual packet: the compiler puts what is rare out of the way. */
#ifndef MARTLET_LIB_HINT_H
#define MARTLET_LIB_HINT_H

#define usually(condition) __builtin_expect(!!(condition), 1)
#define rarely(condition) __builtin_expect(!!(condition), 0)

#endif
