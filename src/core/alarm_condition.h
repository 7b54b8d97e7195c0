/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a value must be for an alarm: `> 90`, `< 1G`, `>= 2d`, `== crashed`. */
#pragma once

#include <glib.h>

/* What a measure says of an object now. */
typedef enum {
  VIRFS_VALUE_UNKNOWN, /* it cannot be told now: what was so stays so */
  VIRFS_VALUE_NONE, /* there is no such value, as CPU time of what does not run: nothing is wrong */
  VIRFS_VALUE_NUMBER,
  VIRFS_VALUE_WORD,
} VirfsValueKind;

typedef struct {
  VirfsValueKind kind;
  gboolean grows; /* by one each second, by itself */
  double number;
  const char *word; /* borrowed */
} VirfsValue;

typedef enum {
  VIRFS_COMPARE_NONE, /* no condition */
  VIRFS_COMPARE_LESS,
  VIRFS_COMPARE_LESS_EQUAL,
  VIRFS_COMPARE_GREATER,
  VIRFS_COMPARE_GREATER_EQUAL,
  VIRFS_COMPARE_EQUAL,
  VIRFS_COMPARE_NOT_EQUAL,
} VirfsCompare;

/* Bytes of the longest operand. */
#define VIRFS_OPERAND_MAX 100

typedef struct {
  VirfsCompare compare;
  double number;                       /* NAN: it is a word */
  char operand[VIRFS_OPERAND_MAX + 1]; /* as it was written */
} VirfsCondition;

/* `OPERATOR OPERAND`; numbers may have K, M, G, T, P, E (powers of 1024), s, min, h, d (seconds) or %
 * behind.  INVALID otherwise. */
gboolean virfs_condition_parse (const char *text, VirfsCondition *condition, GError **error);
/* The same, or a number alone: then the operator is the one that ends CONDITION. */
gboolean virfs_condition_parse_clear (const char *text, const VirfsCondition *condition,
                                      VirfsCondition *clear, GError **error);
/* What ends CONDITION if nobody says otherwise: that it does not hold; of an amount, by a twentieth of it. */
VirfsCondition virfs_condition_opposite (const VirfsCondition *condition);
/* Nothing for none. */
void virfs_condition_append (const VirfsCondition *condition, GString *out);
/* Whether it is about a number or a word that VALUE can be compared with. */
gboolean virfs_condition_is_number (const VirfsCondition *condition);

/* FALSE for none, and for values that are not there. */
gboolean virfs_condition_holds (const VirfsCondition *condition, const VirfsValue *value);
/* Seconds until it will hold for VALUE, which grows by itself; G_MAXINT64: never. */
gint64 virfs_condition_wait (const VirfsCondition *condition, const VirfsValue *value);
