/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread of a connection. */
#pragma once

#include "connection.h"

/* Runs until the connection is closed; DATA is a reference to it, taken. */
gpointer lv_control_run (gpointer data);
