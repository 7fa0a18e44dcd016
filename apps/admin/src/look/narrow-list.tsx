import { Checkbox, ListItem, ListItemButton, ListItemText, List as MuiList, Paper, Typography } from '@mui/material';
import type { ReactNode } from 'react';
import { Link, ListNoResults, type RaRecord, useCreatePath, useListContext, useTranslate } from 'react-admin';

interface NarrowListProps<R extends RaRecord<string>> {
  /** The name of a record. */
  name(record: R): string;
  more(record: R): ReactNode;
  /** Stands at the end of its row. */
  standing(record: R): ReactNode;
  /** Buttons for bulk actions; false: none. */
  readonly bulk: ReactNode | false;
  /** Whether it may be one of many; all may, if absent. */
  isSelectable?(record: R): boolean;
}

/** The list around it for narrow windows, without columns: a row leads to its record, and can be selected beside that. */
export function NarrowList<R extends RaRecord<string>>(props: NarrowListProps<R>) {
  const { name, more, standing, bulk, isSelectable = () => true } = props;
  const { data, isPending, resource, selectedIds, onToggleItem } = useListContext<R>();
  const translate = useTranslate();
  const createPath = useCreatePath();
  if (isPending || !data) return null;
  if (data.length === 0) return <ListNoResults />;
  return (
    <>
      {bulk && selectedIds.length > 0 && <Selected count={selectedIds.length}>{bulk}</Selected>}
      <MuiList disablePadding>
        {data.map((record) => (
          <ListItem key={record.id} disablePadding divider>
            {bulk && (
              <Checkbox
                checked={selectedIds.includes(record.id)}
                disabled={!isSelectable(record)}
                onChange={() => onToggleItem(record.id)}
                slotProps={{ input: { 'aria-label': translate('verbatim.select', { name: name(record) }) } }}
              />
            )}
            <ListItemButton
              component={Link}
              to={createPath({ resource, type: 'show', id: record.id })}
              sx={{ gap: 1, minWidth: 0 }}
            >
              <ListItemText
                primary={<bdi>{name(record)}</bdi>}
                secondary={more(record)}
                sx={{ overflowWrap: 'anywhere' }}
              />
              {standing(record)}
            </ListItemButton>
          </ListItem>
        ))}
      </MuiList>
    </>
  );
}

/** Stays in sight below the bar at the top, however far one scrolls. */
function Selected({ count, children }: { count: number; children: ReactNode }) {
  const translate = useTranslate();
  return (
    <Paper
      role="toolbar"
      aria-label={translate('verbatim.selected', { smart_count: count })}
      elevation={4}
      sx={{ position: 'sticky', top: 48, zIndex: 1, display: 'flex', alignItems: 'center', flexWrap: 'wrap', p: 1 }}
    >
      <Typography sx={{ flex: 1 }}>{translate('verbatim.selected', { smart_count: count })}</Typography>
      {children}
    </Paper>
  );
}
