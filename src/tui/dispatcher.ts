import { contextsOf, type Effects, run } from './commands.js';
import type { KeyEvent } from './key-parser.js';
import { commandFor } from './keymap.js';
import type { FilterEdit, ViewStore } from './view-store.js';

/** Every key goes through here: digits become a count, text goes to the line that is edited, the rest is looked up in the keymap. */

/** Nobody types more; a number beyond is no request's. */
const COUNT_DIGITS = 9;
/** Code points; a filter longer than this is a mistaken paste. */
const FILTER_MAX = 2_000;

export function dispatch(store: ViewStore, event: KeyEvent, effects: Effects): void {
  const state = store.getState();
  if (state.message !== null) store.setState({ message: null });
  if (event.kind === 'paste') {
    // Only a text takes a paste: as keys it could do anything.
    if (state.filterEdit !== null) store.setState({ filterEdit: insert(state.filterEdit, event.text) });
    return;
  }
  const { key } = event;
  const contexts = contextsOf(state);
  // In the detail the digits are its tabs.
  if (contexts[0] === 'list' && /^[0-9]$/.test(key) && (key !== '0' || state.count !== '')) {
    store.setState({ count: (state.count + key).slice(0, COUNT_DIGITS) });
    return;
  }
  const count = state.count === '' ? null : Number(state.count);
  if (state.count !== '') store.setState({ count: '' });
  const command = commandFor(contexts, key);
  if (command !== null) run(store, command, count, effects);
  else if (state.filterEdit !== null) store.setState({ filterEdit: edited(state.filterEdit, key) });
}

function edited(edit: FilterEdit, key: string): FilterEdit {
  const points = [...edit.text];
  switch (key) {
    case 'left':
      return { ...edit, cursor: Math.max(0, edit.cursor - 1) };
    case 'right':
      return { ...edit, cursor: Math.min(points.length, edit.cursor + 1) };
    case 'home':
    case 'ctrl+a':
      return { ...edit, cursor: 0 };
    case 'end':
    case 'ctrl+e':
      return { ...edit, cursor: points.length };
    case 'backspace':
      if (edit.cursor === 0) return edit;
      return changed(points.toSpliced(edit.cursor - 1, 1), edit.cursor - 1);
    case 'delete':
      return edit.cursor >= points.length ? edit : changed(points.toSpliced(edit.cursor, 1), edit.cursor);
    case 'ctrl+k':
      return changed(points.slice(0, edit.cursor), edit.cursor);
    case 'ctrl+w': {
      const kept = points
        .slice(0, edit.cursor)
        .join('')
        .replace(/\S+\s*$/, '');
      return changed([...kept, ...points.slice(edit.cursor)], [...kept].length);
    }
    default:
      return [...key].length === 1 ? insert(edit, key) : edit;
  }
}

function insert(edit: FilterEdit, text: string): FilterEdit {
  const points = [...edit.text];
  // One line: whatever would break it becomes a space.
  const added = [...text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')].slice(0, FILTER_MAX - points.length);
  return changed(points.toSpliced(edit.cursor, 0, ...added), edit.cursor + added.length);
}

function changed(points: readonly string[], cursor: number): FilterEdit {
  return { text: points.join(''), cursor };
}
