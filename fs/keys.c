/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of keys: Linux's without KEY_, in lower case; those of which there are two are the left ones. */
#include "console_files.h"

#include <linux/input-event-codes.h>

static const struct {
  const char *name;
  guint code;
} keys[] = {
  /* clang-format off */
  { "1", KEY_1 }, { "2", KEY_2 }, { "3", KEY_3 }, { "4", KEY_4 }, { "5", KEY_5 }, { "6", KEY_6 },
  { "7", KEY_7 }, { "8", KEY_8 }, { "9", KEY_9 }, { "0", KEY_0 }, { "q", KEY_Q }, { "w", KEY_W },
  { "e", KEY_E }, { "r", KEY_R }, { "t", KEY_T }, { "y", KEY_Y }, { "u", KEY_U }, { "i", KEY_I },
  { "o", KEY_O }, { "p", KEY_P }, { "a", KEY_A }, { "s", KEY_S }, { "d", KEY_D }, { "f", KEY_F },
  { "g", KEY_G }, { "h", KEY_H }, { "j", KEY_J }, { "k", KEY_K }, { "l", KEY_L }, { "z", KEY_Z },
  { "x", KEY_X }, { "c", KEY_C }, { "v", KEY_V }, { "b", KEY_B }, { "n", KEY_N }, { "m", KEY_M },
  { "f1", KEY_F1 }, { "f2", KEY_F2 }, { "f3", KEY_F3 }, { "f4", KEY_F4 }, { "f5", KEY_F5 },
  { "f6", KEY_F6 }, { "f7", KEY_F7 }, { "f8", KEY_F8 }, { "f9", KEY_F9 }, { "f10", KEY_F10 },
  { "f11", KEY_F11 }, { "f12", KEY_F12 }, { "f13", KEY_F13 }, { "f14", KEY_F14 },
  { "f15", KEY_F15 }, { "f16", KEY_F16 }, { "f17", KEY_F17 }, { "f18", KEY_F18 },
  { "f19", KEY_F19 }, { "f20", KEY_F20 }, { "f21", KEY_F21 }, { "f22", KEY_F22 },
  { "f23", KEY_F23 }, { "f24", KEY_F24 }, { "esc", KEY_ESC }, { "enter", KEY_ENTER },
  { "tab", KEY_TAB }, { "space", KEY_SPACE }, { "backspace", KEY_BACKSPACE },
  { "insert", KEY_INSERT }, { "delete", KEY_DELETE }, { "home", KEY_HOME }, { "end", KEY_END },
  { "pageup", KEY_PAGEUP }, { "pagedown", KEY_PAGEDOWN }, { "up", KEY_UP }, { "down", KEY_DOWN },
  { "left", KEY_LEFT }, { "right", KEY_RIGHT }, { "ctrl", KEY_LEFTCTRL },
  { "rightctrl", KEY_RIGHTCTRL }, { "alt", KEY_LEFTALT }, { "rightalt", KEY_RIGHTALT },
  { "shift", KEY_LEFTSHIFT }, { "rightshift", KEY_RIGHTSHIFT }, { "meta", KEY_LEFTMETA },
  { "rightmeta", KEY_RIGHTMETA }, { "menu", KEY_COMPOSE }, { "capslock", KEY_CAPSLOCK },
  { "numlock", KEY_NUMLOCK }, { "scrolllock", KEY_SCROLLLOCK }, { "print", KEY_SYSRQ },
  { "sysrq", KEY_SYSRQ }, { "pause", KEY_PAUSE }, { "minus", KEY_MINUS }, { "equal", KEY_EQUAL },
  { "leftbrace", KEY_LEFTBRACE }, { "rightbrace", KEY_RIGHTBRACE },
  { "semicolon", KEY_SEMICOLON }, { "apostrophe", KEY_APOSTROPHE }, { "grave", KEY_GRAVE },
  { "backslash", KEY_BACKSLASH }, { "comma", KEY_COMMA }, { "dot", KEY_DOT },
  { "slash", KEY_SLASH }, { "102nd", KEY_102ND }, { "kp0", KEY_KP0 }, { "kp1", KEY_KP1 },
  { "kp2", KEY_KP2 }, { "kp3", KEY_KP3 }, { "kp4", KEY_KP4 }, { "kp5", KEY_KP5 },
  { "kp6", KEY_KP6 }, { "kp7", KEY_KP7 }, { "kp8", KEY_KP8 }, { "kp9", KEY_KP9 },
  { "kpenter", KEY_KPENTER }, { "kpplus", KEY_KPPLUS }, { "kpminus", KEY_KPMINUS },
  { "kpasterisk", KEY_KPASTERISK }, { "kpslash", KEY_KPSLASH }, { "kpdot", KEY_KPDOT },
  { "power", KEY_POWER }, { "sleep", KEY_SLEEP }, { "wakeup", KEY_WAKEUP }, { "mute", KEY_MUTE },
  { "volumeup", KEY_VOLUMEUP }, { "volumedown", KEY_VOLUMEDOWN },
  /* clang-format on */
};

guint
virfs_key_code (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].name, name))
      return keys[i].code;
  return 0;
}

void
virfs_key_append_names (GString *out)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_string_append_printf (out, "%s\n", keys[i].name);
}
