/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alarm_condition.h"

#include "error.h"

#include <math.h>
#include <string.h>

/* Of what an amount was, it must have come back by this share for an alarm to end. */
#define HYSTERESIS 0.05
/* Seconds that somebody who waits for a growing value waits at most at a time. */
#define LONGEST_WAIT (365 * 86400.0)

/* Those of two characters come first. */
static const struct {
  const char *text;
  VirfsCompare compare, opposite;
} compares[] = {
  { "<=", VIRFS_COMPARE_LESS_EQUAL, VIRFS_COMPARE_GREATER },
  { ">=", VIRFS_COMPARE_GREATER_EQUAL, VIRFS_COMPARE_LESS },
  { "==", VIRFS_COMPARE_EQUAL, VIRFS_COMPARE_NOT_EQUAL },
  { "!=", VIRFS_COMPARE_NOT_EQUAL, VIRFS_COMPARE_EQUAL },
  { "<", VIRFS_COMPARE_LESS, VIRFS_COMPARE_GREATER_EQUAL },
  { ">", VIRFS_COMPARE_GREATER, VIRFS_COMPARE_LESS_EQUAL },
};

static const struct {
  const char *text;
  double factor;
} units[] = {
  { "", 1 },       { "%", 1 },      { "K", 0x1p10 }, { "M", 0x1p20 },
  { "G", 0x1p30 }, { "T", 0x1p40 }, { "P", 0x1p50 }, { "E", 0x1p60 },
  { "s", 1 },      { "min", 60 },   { "h", 3600 },   { "d", 86400 },
};

/* Of bytes, or whatever. */
#define MOST 0x1p63

/* NAN: it is no number. */
static double
parse_number (const char *text)
{
  char *end;
  double number = g_ascii_strtod (text, &end);

  /* digits alone, as in all files; nothing that is measured is less than nothing, or as much as that */
  if (end == text || !g_ascii_isdigit (end[-1])
      || strspn (text, ".0123456789") < (gsize) (end - text) || number > MOST)
    return NAN;
  end += strspn (end, " ");
  for (guint i = 0; i < G_N_ELEMENTS (units); i++) {
    const char *unit = units[i].text;
    gsize length = strlen (unit);

    if (strncmp (end, unit, length) == 0
        && (end[length] == '\0' || (g_ascii_isupper (*unit) && strcmp (end + length, "iB") == 0)
            || (g_ascii_isupper (*unit) && strcmp (end + length, "B") == 0)))
      return number * units[i].factor;
  }
  return NAN;
}

static const char *
find_operator (const char *text, VirfsCompare *compare)
{
  for (guint i = 0; i < G_N_ELEMENTS (compares); i++)
    if (g_str_has_prefix (text, compares[i].text)) {
      *compare = compares[i].compare;
      return text + strlen (compares[i].text);
    }
  return NULL;
}

static VirfsCompare
opposite_of (VirfsCompare compare)
{
  guint i = 0;

  while (compares[i].compare != compare)
    i++;
  return compares[i].opposite;
}

static gboolean
is_operand (const char *text)
{
  return *text != '\0' && strlen (text) <= VIRFS_OPERAND_MAX && strpbrk (text, "<>=!\n\\") == NULL
         && g_utf8_validate (text, -1, NULL);
}

static gboolean
take_operand (const char *text, VirfsCondition *condition)
{
  text += strspn (text, " \t");
  if (!is_operand (text))
    return FALSE;
  condition->number = parse_number (text);
  /* a number that is none is no word either */
  if (isnan (condition->number) && strchr ("-+.0123456789", *text) != NULL)
    return FALSE;
  if (isnan (condition->number) && condition->compare != VIRFS_COMPARE_EQUAL
      && condition->compare != VIRFS_COMPARE_NOT_EQUAL)
    return FALSE;
  g_strlcpy (condition->operand, text, sizeof condition->operand);
  return TRUE;
}

static gboolean
refuse (const char *text, GError **error)
{
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%.40s\" is not a condition; one is > 90, >= 2d, < 1G, <= 0.5, == crashed or"
               " != running",
               text);
  return FALSE;
}

gboolean
virfs_condition_parse (const char *text, VirfsCondition *condition, GError **error)
{
  VirfsCondition parsed = { 0 };
  const char *operand = find_operator (text, &parsed.compare);

  if (operand == NULL || !take_operand (operand, &parsed))
    return refuse (text, error);
  *condition = parsed;
  return TRUE;
}

gboolean
virfs_condition_parse_clear (const char *text, const VirfsCondition *condition,
                             VirfsCondition *clear, GError **error)
{
  VirfsCondition parsed = { 0 };

  if (find_operator (text, &parsed.compare) != NULL)
    return virfs_condition_parse (text, clear, error);
  if (condition->compare == VIRFS_COMPARE_NONE)
    return refuse (text, error);
  parsed.compare = opposite_of (condition->compare);
  if (!take_operand (text, &parsed) || !virfs_condition_is_number (&parsed))
    return refuse (text, error);
  *clear = parsed;
  return TRUE;
}

gboolean
virfs_condition_is_number (const VirfsCondition *condition)
{
  return !isnan (condition->number);
}

static gboolean
is_amount (const VirfsCondition *condition)
{
  return virfs_condition_is_number (condition) && condition->compare != VIRFS_COMPARE_EQUAL
         && condition->compare != VIRFS_COMPARE_NOT_EQUAL;
}

/* So that it can be written back: 12 digits, and no exponent. */
static void
print_number (double number, char *text, gsize size)
{
  int before = number >= 1 ? (int) floor (log10 (number)) + 1 : 0;
  g_autofree char *format = g_strdup_printf ("%%.%df", MAX (12 - before, 0));

  g_ascii_formatd (text, (int) size, format, number);
  if (strchr (text, '.') == NULL)
    return;
  while (text[strlen (text) - 1] == '0')
    text[strlen (text) - 1] = '\0';
  if (text[strlen (text) - 1] == '.')
    text[strlen (text) - 1] = '\0';
}

VirfsCondition
virfs_condition_opposite (const VirfsCondition *condition)
{
  gboolean above = condition->compare == VIRFS_COMPARE_GREATER
                   || condition->compare == VIRFS_COMPARE_GREATER_EQUAL;
  VirfsCondition opposite = *condition;
  double step;

  if (condition->compare == VIRFS_COMPARE_NONE)
    return opposite;
  opposite.compare = opposite_of (condition->compare);
  if (!is_amount (condition) || condition->number == 0)
    return opposite;
  step = fabs (condition->number) * HYSTERESIS;
  opposite.number += above ? -step : step;
  print_number (opposite.number, opposite.operand, sizeof opposite.operand);
  /* what is shown is what counts */
  opposite.number = g_ascii_strtod (opposite.operand, NULL);
  return opposite;
}

void
virfs_condition_append (const VirfsCondition *condition, GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (compares); i++)
    if (compares[i].compare == condition->compare)
      g_string_append_printf (out, "%s %s", compares[i].text, condition->operand);
}

static gboolean
compare_numbers (VirfsCompare compare, double a, double b)
{
  switch (compare) {
  case VIRFS_COMPARE_LESS:
    return a < b;
  case VIRFS_COMPARE_LESS_EQUAL:
    return a <= b;
  case VIRFS_COMPARE_GREATER:
    return a > b;
  case VIRFS_COMPARE_GREATER_EQUAL:
    return a >= b;
  case VIRFS_COMPARE_EQUAL:
    return a == b;
  case VIRFS_COMPARE_NOT_EQUAL:
    return a != b;
  default:
    return FALSE;
  }
}

gboolean
virfs_condition_holds (const VirfsCondition *condition, const VirfsValue *value)
{
  if (condition->compare == VIRFS_COMPARE_NONE)
    return FALSE;
  if (value->kind == VIRFS_VALUE_NUMBER)
    return virfs_condition_is_number (condition)
           && compare_numbers (condition->compare, value->number, condition->number);
  if (value->kind == VIRFS_VALUE_WORD)
    return (strcmp (value->word, condition->operand) == 0)
           == (condition->compare == VIRFS_COMPARE_EQUAL);
  return FALSE;
}

gint64
virfs_condition_wait (const VirfsCondition *condition, const VirfsValue *value)
{
  gboolean above = condition->compare == VIRFS_COMPARE_GREATER
                   || condition->compare == VIRFS_COMPARE_GREATER_EQUAL;

  if (value->kind != VIRFS_VALUE_NUMBER || !value->grows || !above
      || virfs_condition_holds (condition, value))
    return G_MAXINT64;
  return (gint64) CLAMP (floor (condition->number - value->number) + 1, 1, LONGEST_WAIT);
}
