import CopyIcon from '@mui/icons-material/ContentCopy';
import DownloadIcon from '@mui/icons-material/Download';
import { Alert, Box, Button, Stack, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';
import { saveAs } from '../look/save-as';
import { useCopy } from '../look/shown-once';
import { useUnsaved } from '../look/unsaved';

/** Recovery codes, shown only once. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept(): void }) {
  const translate = useTranslate();
  const copy = useCopy();
  const dialog = useUnsaved(true, 'verbatim.unsaved.codes');
  const text = `${codes.join('\n')}\n`;
  return (
    <Box>
      {dialog}
      <Alert severity="success" sx={{ mb: 2 }}>
        {translate('verbatim.own.turned_on')}
      </Alert>
      <Typography>{translate('verbatim.own.codes_text')}</Typography>
      <Box
        component="ul"
        aria-label={translate('verbatim.own.codes')}
        sx={{
          fontFamily: 'monospace',
          columns: '10em',
          listStyle: 'none',
          p: 2,
          my: 2,
          border: 1,
          borderColor: 'divider',
          borderRadius: 1,
        }}
      >
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </Box>
      <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap' }}>
        <Button startIcon={<CopyIcon />} onClick={() => void copy(text)}>
          {translate('verbatim.copy')}
        </Button>
        <Button
          startIcon={<DownloadIcon />}
          onClick={() => saveAs(new Blob([text], { type: 'text/plain' }), 'verbatim-recovery-codes.txt')}
        >
          {translate('verbatim.own.save_codes')}
        </Button>
        <Button variant="contained" onClick={onKept}>
          {translate('verbatim.own.kept')}
        </Button>
      </Stack>
    </Box>
  );
}
