import CopyIcon from '@mui/icons-material/ContentCopy';
import SaveIcon from '@mui/icons-material/SaveAlt';
import { Box, Button, Stack, TextField } from '@mui/material';
import { useRef } from 'react';
import { useTranslate } from 'react-admin';
import { saveAs } from './save-as';
import { useCopy } from './shown-once';

interface KeepTextProps {
  /** Label of the text; already translated. */
  readonly label: string;
  readonly text: string;
  /** Offers the text as a file of this name. */
  readonly fileName?: string;
  readonly autoFocus?: boolean;
}

/** A text to be copied or saved. Where the browser lets the page write no clipboard, it is selected, to be copied by hand. */
export function KeepText({ label, text, fileName, autoFocus }: KeepTextProps) {
  const translate = useTranslate();
  const field = useRef<HTMLTextAreaElement>(null);
  const copy = useCopy();
  const copyOrSelect = async () => {
    if (await copy(text)) return;
    field.current?.focus();
    field.current?.select();
  };
  return (
    <Box sx={{ my: 1.5 }}>
      <TextField
        label={label}
        value={text}
        inputRef={field}
        multiline
        maxRows={8}
        fullWidth
        slotProps={{
          htmlInput: {
            readOnly: true,
            spellCheck: false,
            dir: 'ltr',
            style: { fontFamily: 'monospace', fontSize: '0.85rem', overflowWrap: 'anywhere' },
          },
        }}
      />
      <Stack direction="row" useFlexGap spacing={1} sx={{ mt: 0.5, flexWrap: 'wrap' }}>
        <Button
          size="small"
          startIcon={<CopyIcon />}
          aria-label={`${translate('verbatim.copy')}: ${label}`}
          onClick={copyOrSelect}
          autoFocus={autoFocus}
        >
          {translate('verbatim.copy')}
        </Button>
        {fileName && (
          <Button
            size="small"
            startIcon={<SaveIcon />}
            aria-label={`${translate('verbatim.evidence.save')}: ${label}`}
            onClick={() => saveAs(new Blob([text], { type: 'text/plain;charset=utf-8' }), fileName)}
          >
            {translate('verbatim.evidence.save')}
          </Button>
        )}
      </Stack>
    </Box>
  );
}
