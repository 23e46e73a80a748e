/** One table for what keys do: the dispatcher looks it up, the help screen and the help line are made from it. */

/** Where the keys go. `global` holds wherever no other context takes the key, except while a text is edited or a question asked. */
export type KeyContext = 'global' | 'list' | 'detail' | 'timeline' | 'records' | 'body' | 'help' | 'filter' | 'quit';

export type Command =
  | 'down'
  | 'up'
  | 'top'
  | 'bottom'
  | 'page-down'
  | 'page-up'
  | 'half-down'
  | 'half-up'
  | 'open'
  | 'back'
  | 'quit'
  | 'next-pane'
  | 'maximise'
  | 'filter'
  | 'follow'
  | 'order'
  | 'reverse'
  | 'tab-1'
  | 'tab-2'
  | 'tab-3'
  | 'tab-4'
  | 'tab-5'
  | 'tab-6'
  | 'tab-7'
  | 'next-tab'
  | 'previous-tab'
  | 'next-record'
  | 'previous-record'
  | 'next-request'
  | 'previous-request'
  | 'mode'
  | 'help'
  | 'redraw'
  | 'apply'
  | 'cancel'
  | 'clear'
  | 'yes'
  | 'no';

export interface Binding {
  readonly context: KeyContext;
  readonly keys: readonly string[];
  readonly command: Command;
  /** For the help screen; left out where another entry tells it already. */
  readonly help?: string;
  /** One word for the help line; left out where there is no room for it. */
  readonly hint?: string;
  /** What stands for the keys in the help line, when it stands for more than one binding. */
  readonly hintKeys?: string;
}

export const KEYMAP: readonly Binding[] = [
  { context: 'list', keys: ['enter'], command: 'open', help: 'open the request', hint: 'open' },
  { context: 'list', keys: ['f'], command: 'filter', help: 'edit the display filter', hint: 'filter' },
  {
    context: 'list',
    keys: ['F'],
    command: 'follow',
    help: 'follow the newest request, or stop following',
    hint: 'follow',
  },
  {
    context: 'list',
    keys: ['o'],
    command: 'order',
    help: 'next order: number, time, duration, ttfb, status, …',
    hint: 'order',
  },
  { context: 'list', keys: ['v'], command: 'reverse', help: 'reverse the order', hint: 'reverse' },
  { context: 'timeline', keys: ['enter'], command: 'open', help: 'the bytes of the record', hint: 'bytes' },
  { context: 'detail', keys: ['1'], command: 'tab-1', help: 'Timeline', hint: 'tabs', hintKeys: '1…7' },
  { context: 'detail', keys: ['2'], command: 'tab-2', help: 'Params' },
  { context: 'detail', keys: ['3'], command: 'tab-3', help: 'Stdin' },
  { context: 'detail', keys: ['4'], command: 'tab-4', help: 'Response' },
  { context: 'detail', keys: ['5'], command: 'tab-5', help: 'Stderr' },
  { context: 'detail', keys: ['6'], command: 'tab-6', help: 'Records and their bytes' },
  { context: 'detail', keys: ['7'], command: 'tab-7', help: 'Diagnosis' },
  { context: 'detail', keys: ['l', 'right'], command: 'next-tab', help: 'next tab' },
  { context: 'detail', keys: ['h', 'left'], command: 'previous-tab', help: 'previous tab' },
  { context: 'detail', keys: ['p'], command: 'next-request', help: 'next request', hint: 'next' },
  { context: 'detail', keys: ['P'], command: 'previous-request', help: 'previous request' },
  { context: 'detail', keys: ['f'], command: 'filter' },
  { context: 'records', keys: [']'], command: 'next-record', help: 'next record' },
  { context: 'records', keys: ['['], command: 'previous-record', help: 'previous record' },
  { context: 'body', keys: ['r'], command: 'mode', help: 'decoded, as it came, hex dump', hint: 'raw' },
  { context: 'global', keys: ['j', 'down'], command: 'down', help: 'down' },
  { context: 'global', keys: ['k', 'up'], command: 'up', help: 'up' },
  { context: 'global', keys: ['g', 'home'], command: 'top', help: 'to the top (gg too)' },
  {
    context: 'global',
    keys: ['G', 'end'],
    command: 'bottom',
    help: 'to the bottom; in the list it follows; 5G goes to request 5',
  },
  { context: 'global', keys: [' ', 'ctrl+f', 'pagedown'], command: 'page-down', help: 'a page down' },
  { context: 'global', keys: ['ctrl+b', 'pageup'], command: 'page-up', help: 'a page up' },
  { context: 'global', keys: ['ctrl+d'], command: 'half-down', help: 'half a page down' },
  { context: 'global', keys: ['ctrl+u'], command: 'half-up', help: 'half a page up' },
  { context: 'global', keys: ['?'], command: 'help', help: 'this help', hint: 'help' },
  { context: 'global', keys: ['q', 'escape'], command: 'back', help: 'back', hint: 'back' },
  { context: 'global', keys: ['tab', 'shift+tab'], command: 'next-pane', help: 'to the other pane', hint: 'pane' },
  { context: 'global', keys: ['\\'], command: 'maximise', help: 'the pane alone, or both', hint: 'maximise' },
  {
    context: 'global',
    keys: ['Q', 'ctrl+c'],
    command: 'quit',
    help: 'quit (asks while requests are open)',
    hint: 'quit',
  },
  { context: 'global', keys: ['ctrl+l'], command: 'redraw', help: 'draw the screen anew' },
  { context: 'help', keys: ['?', 'enter'], command: 'back' },
  { context: 'help', keys: ['j', 'down'], command: 'down', hint: 'scroll', hintKeys: 'j k Space' },
  { context: 'filter', keys: ['enter'], command: 'apply', help: 'apply the filter', hint: 'apply' },
  {
    context: 'filter',
    keys: ['escape', 'ctrl+c'],
    command: 'cancel',
    help: 'leave the filter as it was',
    hint: 'cancel',
  },
  { context: 'filter', keys: ['ctrl+u'], command: 'clear', help: 'empty the line', hint: 'empty' },
  { context: 'quit', keys: ['y', 'Y', 'Q', 'ctrl+c'], command: 'yes', help: 'quit', hint: 'quit' },
  { context: 'quit', keys: ['n', 'N', 'q', 'escape', 'enter'], command: 'no', help: 'stay', hint: 'stay' },
];

/** The command for a key, the first context that knows it. */
export function commandFor(contexts: readonly KeyContext[], key: string): Command | null {
  for (const context of contexts)
    for (const binding of KEYMAP) if (binding.context === context && binding.keys.includes(key)) return binding.command;
  return null;
}

const SHOWN: Readonly<Record<string, string>> = {
  ' ': 'Space',
  enter: 'Enter',
  escape: 'Esc',
  tab: 'Tab',
  'shift+tab': 'Shift-Tab',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  home: 'Home',
  end: 'End',
  pageup: 'PageUp',
  pagedown: 'PageDown',
};

/** A key as people read it: `^F`, `Enter`. */
export function shownKey(key: string): string {
  return SHOWN[key] ?? (key.startsWith('ctrl+') ? `^${key.slice(5).toUpperCase()}` : key);
}

const TITLES: readonly (readonly [KeyContext, string])[] = [
  ['global', 'Everywhere'],
  ['list', 'In the list'],
  ['detail', 'In the detail'],
  ['timeline', 'In the timeline'],
  ['records', 'In the timeline and the records'],
  ['body', 'In Stdin, Response and Stderr'],
  ['filter', 'While the filter is edited'],
];

export interface HelpEntry {
  readonly keys: string;
  readonly text: string;
}

/** The help screen, section by section. */
export function helpSections(): { readonly title: string; readonly entries: readonly HelpEntry[] }[] {
  return TITLES.map(([context, title]) => ({
    title,
    entries: KEYMAP.flatMap((binding) =>
      binding.context === context && binding.help !== undefined
        ? [{ keys: binding.keys.map(shownKey).join(' '), text: binding.help }]
        : [],
    ),
  }));
}

/** The help line: what the focused pane's own keys do, then the general ones. */
export function hints(contexts: readonly KeyContext[]): HelpEntry[] {
  return contexts.flatMap((context) =>
    KEYMAP.flatMap((binding) =>
      binding.context === context && binding.hint !== undefined
        ? [{ keys: binding.hintKeys ?? shownKey(binding.keys[0]!), text: binding.hint }]
        : [],
    ),
  );
}
