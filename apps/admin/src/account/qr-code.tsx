import { Box } from '@mui/material';
import encodeQR from 'qr';
import { useMemo } from 'react';

/** A QR code, dark on light whatever the colours of the page are, since not every reader takes the opposite. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const rows = useMemo(() => encodeQR(text, 'raw', { border: 4 }), [text]);
  const path = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return (
    <Box
      component="svg"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${rows.length} ${rows.length}`}
      shapeRendering="crispEdges"
      sx={{ width: 208, height: 208, bgcolor: '#ffffff', borderRadius: 1 }}
    >
      <path d={path} fill="#000000" />
    </Box>
  );
}
