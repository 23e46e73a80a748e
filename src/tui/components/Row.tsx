import { Box, Text, Transform } from 'ink';
import { memo, type ReactNode } from 'react';
import { useDrawing } from './drawing-context.js';

export interface RowProps {
  /** One terminal row, painted, exactly as wide as it shall be. */
  readonly text: string;
}

/** A row of the screen: one cell for the renderer, which is marked when it comes to be written. */
export const Row = memo(function Row({ text }: RowProps): ReactNode {
  const { sheet } = useDrawing();
  return (
    <Box width={1} height={1} flexShrink={0}>
      <Transform transform={() => sheet.mark(text)}>
        <Text>{'-'}</Text>
      </Transform>
    </Box>
  );
});
