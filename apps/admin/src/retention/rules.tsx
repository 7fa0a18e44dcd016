import EditIcon from '@mui/icons-material/Edit';
import { Box, TableCell, TableRow } from '@mui/material';
import { Link, useCanAccess, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { PlainTable } from '../look/plain-table';
import { usePeople } from '../users/use-people';
import { RemoveRuleButton } from './remove-rule';
import { RoomsOf, type Rule } from './rooms-of';
import { RuleButton } from './rule-dialog';

/** The rules in force, the oldest first. Why each was set is on the audit trail. */
export function Rules({ rules }: { rules: readonly Rule[] }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'retention', action: 'edit' });
  const nameOf = usePeople(rules.map(({ by }) => by));
  const word = (name: string) => translate(`verbatim.retention.${name}`);
  const keptFor = ({ days }: Rule) =>
    days === null ? word('for_good') : translate('verbatim.retention.days_kept', { smart_count: days });
  const columns = ['rooms', 'kept', 'by', 'set_at', ...(canAccess ? ['change'] : [])];
  return (
    <PlainTable label={word('rules')} columns={columns.map(word)} empty={word('nothing')}>
      {rules.map((rule) => (
        <TableRow key={rule.id}>
          <TableCell component="th" scope="row">
            <RoomsOf rule={rule} />
          </TableCell>
          <TableCell>{keptFor(rule)}</TableCell>
          <TableCell>
            <Link to={`/users/${rule.by}/show`}>
              <bdi>{nameOf(rule.by)}</bdi>
            </Link>
          </TableCell>
          <TableCell>
            <Moment at={rule.setAt} />
          </TableCell>
          {canAccess && (
            <TableCell>
              <Box sx={{ display: 'flex', whiteSpace: 'nowrap' }}>
                <RuleButton label="verbatim.retention.edit" rule={rule}>
                  <EditIcon />
                </RuleButton>
                <RemoveRuleButton rule={rule} />
              </Box>
            </TableCell>
          )}
        </TableRow>
      ))}
    </PlainTable>
  );
}
