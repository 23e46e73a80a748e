import { createContext, useContext } from 'react';
import { createPainter, type Painter } from '../paint.js';
import { RowSheet } from '../row-sheet.js';

/** What rows are made with: colours or none is decided once, at the start, and all rows of a frame go onto one sheet. */
export interface Drawing {
  readonly painter: Painter;
  readonly sheet: RowSheet;
}

export const DrawingContext = createContext<Drawing>({ painter: createPainter(false), sheet: new RowSheet() });

export function useDrawing(): Drawing {
  return useContext(DrawingContext);
}
