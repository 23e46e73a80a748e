import { createContext, useContext } from 'react';
import { createPainter, type Painter } from '../paint.js';

/** Colours or none is decided once, at the start. */
export const PainterContext = createContext<Painter>(createPainter(false));

export function usePainter(): Painter {
  return useContext(PainterContext);
}
