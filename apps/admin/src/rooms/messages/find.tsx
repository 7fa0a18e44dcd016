import SearchIcon from '@mui/icons-material/Search';
import { Box, Button, List, ListItem, ListItemButton, ListItemText, Stack, TextField, Typography } from '@mui/material';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Message } from '@verbatim/protocol';
import { type FormEvent, useState } from 'react';
import { useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { Moment } from '../../look/moment';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { nameOf } from '../../users/name-of';
import { why } from '../reasons';
import { Highlight, marked } from './highlight';
import type { Place } from './use-past';

/** Messages found on one page, and how much of each is shown. */
const PAGE = 20;
const SNIPPET = 200;

interface FindProps {
  /** Id of the room. */
  readonly room: string;
  onPlace(place: Place): void;
}

/** Finds places in the history of a room: by words, or by a date. */
export function Find({ room, onPlace }: FindProps) {
  const [words, setWords] = useState('');
  return (
    <Box sx={{ mb: 1 }}>
      <Stack direction={{ xs: 'column', sm: 'row' }} spacing={1} sx={{ my: 1 }}>
        <SearchForm onSearch={setWords} />
        <DateForm onPlace={onPlace} />
      </Stack>
      {words !== '' && <Found key={words} room={room} words={words} onPlace={onPlace} onEnd={() => setWords('')} />}
    </Box>
  );
}

function SearchForm({ onSearch }: { onSearch(words: string): void }) {
  const translate = useTranslate();
  const [typed, setTyped] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSearch(typed.trim());
  };
  return (
    <Stack component="form" role="search" direction="row" spacing={1} onSubmit={submit} sx={{ flex: 1 }}>
      <TextField
        size="small"
        type="search"
        label={translate('verbatim.find.search')}
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
        slotProps={{ htmlInput: { maxLength: 500 } }}
        fullWidth
      />
      <Button type="submit" variant="outlined" startIcon={<SearchIcon />} sx={{ flexShrink: 0 }}>
        {translate('ra.action.search')}
      </Button>
    </Stack>
  );
}

function DateForm({ onPlace }: Pick<FindProps, 'onPlace'>) {
  const translate = useTranslate();
  const [date, setDate] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // Midnight where the person is.
    const midnight = new Date(`${date}T00:00`);
    if (!Number.isNaN(midnight.getTime())) onPlace({ at: midnight.toISOString() });
  };
  return (
    <Stack component="form" direction="row" spacing={1} onSubmit={submit}>
      <TextField
        size="small"
        type="date"
        label={translate('verbatim.find.date')}
        value={date}
        onChange={({ target }) => setDate(target.value)}
        slotProps={{ inputLabel: { shrink: true }, htmlInput: { max: '9999-12-31' } }}
        fullWidth
      />
      <Button type="submit" variant="outlined" disabled={date === ''} sx={{ flexShrink: 0 }}>
        {translate('verbatim.find.go')}
      </Button>
    </Stack>
  );
}

interface FoundProps extends FindProps {
  readonly words: string;
  onEnd(): void;
}

function Found({ room, words, onPlace, onEnd }: FoundProps) {
  const translate = useTranslate();
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['search', room, words],
    queryFn: ({ pageParam: cursor }) =>
      shown(client.call('searchMessages', { query: { q: words, room, limit: PAGE, cursor } }, { ...why(room) })),
    initialPageParam: '',
    getNextPageParam: ({ page }) => page.next,
  });
  const messages = data?.pages.flatMap(({ items }) => items);
  return (
    <Box
      component="section"
      aria-label={translate('verbatim.find.results')}
      sx={{ border: 1, borderColor: 'divider', borderRadius: 1, p: 1, maxHeight: 360, overflowY: 'auto' }}
    >
      <Stack direction="row" sx={{ justifyContent: 'space-between', alignItems: 'center' }}>
        <Typography role="status">
          {messages && translate(messages.length === 0 ? 'verbatim.find.none' : 'verbatim.find.some')}
        </Typography>
        <Button onClick={onEnd}>{translate('verbatim.close')}</Button>
      </Stack>
      <Failure error={error} />
      <List dense disablePadding>
        {messages?.map((message) => (
          <FoundMessage
            key={message.id}
            message={message}
            words={words}
            onGo={() => onPlace({ revision: message.revision, found: { words } })}
          />
        ))}
      </List>
      {hasNextPage && <Button onClick={() => fetchNextPage()}>{translate('verbatim.more')}</Button>}
    </Box>
  );
}

interface FoundMessageProps {
  readonly message: Message;
  readonly words: string;
  onGo(): void;
}

function FoundMessage({ message: { author, text, postedAt }, words, onGo }: FoundMessageProps) {
  return (
    <ListItem disablePadding>
      <ListItemButton onClick={onGo}>
        <ListItemText
          primary={<Highlight text={snippet(text ?? '', words)} words={words} />}
          secondary={
            <>
              <bdi>{nameOf(author)}</bdi> · <Moment at={postedAt} />
            </>
          }
          slotProps={{ primary: { dir: 'auto', sx: { overflowWrap: 'anywhere', textAlign: 'start' } } }}
        />
      </ListItemButton>
    </ListItem>
  );
}

/** The part of a text around the first word found. */
function snippet(text: string, words: string): string {
  if (text.length <= SNIPPET) return text;
  const [before] = marked(text, words);
  const start = before && !before.hit ? Math.max(0, before.text.length - SNIPPET / 4) : 0;
  // Half of a character at either end is left out.
  const part = text.slice(start, start + SNIPPET).replace(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/g, '');
  return `${start > 0 ? '…' : ''}${part}…`;
}
