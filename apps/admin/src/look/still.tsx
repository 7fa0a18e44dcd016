import RefreshIcon from '@mui/icons-material/Refresh';
import { Alert, Box, Button } from '@mui/material';
import { type ReactNode, useEffect, useState } from 'react';
import { ListContextProvider, type RaRecord, useListContext, useTranslate } from 'react-admin';
import { type Kept, keepPlace } from './keep-place';
import { ShowUpdate } from './show-update';

type Rows = readonly RaRecord<string>[];

interface Shown extends Kept<RaRecord<string>> {
  /** Its page, order and filter. */
  readonly question: string;
  readonly answer: Rows;
}

/**
 * The list around it, whose rows stay where they are while others change things: cells change in place, and rows come, go
 * and move once that is wished. Another page, order or filter shows what there is then.
 */
export function Still({ children }: { children: ReactNode }) {
  const list = useListContext<RaRecord<string>>();
  const { data, isFetching } = list;
  const { shown, show, showUpdate } = useShown();
  useEffect(() => {
    if (!isFetching) showUpdate(false);
  }, [isFetching, showUpdate]);
  if (!data) return children;
  const current = shown?.answer === data ? shown : { rows: data, moved: false };
  return (
    <ShowUpdate value={() => showUpdate(true)}>
      <ListContextProvider value={{ ...list, data: current.rows } as typeof list}>
        {children}
        <Moved moved={current.moved} onShow={() => show(data)} />
      </ListContextProvider>
    </ShowUpdate>
  );
}

/** The content depends on what was shown before, so it is computed while rendering, as React allows. */
function useShown() {
  const { data, page, perPage, sort, filterValues, isPlaceholderData } = useListContext<RaRecord<string>>();
  const question = JSON.stringify([page, perPage, sort, filterValues]);
  const [shown, setShown] = useState<Shown>();
  const [updating, showUpdate] = useState(false);
  const show = (answer: Rows, before: Rows = []) => setShown({ question, answer, ...keepPlace(before, answer) });
  if (data && !isPlaceholderData && shown?.answer !== data) {
    show(data, shown?.question === question && !updating ? shown.rows : []);
    showUpdate(false);
  }
  return { shown, show, showUpdate };
}

/** At the bottom of the window, where it does not move anything when it appears. */
function Moved({ moved, onShow }: { moved: boolean; onShow(): void }) {
  const translate = useTranslate();
  const button = (
    <Button size="small" color="inherit" startIcon={<RefreshIcon />} onClick={onShow}>
      {translate('verbatim.still.show')}
    </Button>
  );
  return (
    <Box role="status" sx={{ position: 'sticky', bottom: 8, zIndex: 1 }}>
      {moved && (
        <Alert severity="info" icon={false} action={button} elevation={4} sx={{ m: 1 }}>
          {translate('verbatim.still.moved')}
        </Alert>
      )}
    </Box>
  );
}
