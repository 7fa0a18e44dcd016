import { Card, CardContent, TableCell, TableRow, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';
import { useAbout } from '../look/announcement';
import { Fact, Facts } from '../look/facts';
import { Moment } from '../look/moment';
import { PlainTable } from '../look/plain-table';
import { useNumber } from './figure';
import type { Overview } from './overview';

/** The parts of the service, by the names it uses to report failures. */
const parts: Readonly<Record<string, string>> = {
  database: 'database',
  'event store': 'store',
  feed: 'feed',
  'read models': 'read_models',
  'transparency log': 'audit_log',
};

/** The state of the service: what works, what lags, and its processes. */
export function ServiceState({ overview: { process, replicas, auditLog } }: { overview: Overview }) {
  const translate = useTranslate();
  const number = useNumber();
  const about = useAbout();
  const { missing, startedAt, memoryBytes, behind, searchBehind } = process;
  // A reason in parentheses may follow the name.
  const failing = missing.map((what) => translate(`verbatim.home.part_${parts[what.split(' (')[0] ?? ''] ?? 'other'}`));
  return (
    <Card component="section" aria-labelledby="service-state">
      <CardContent>
        <Typography id="service-state" variant="h2">
          {translate('verbatim.home.state')}
        </Typography>
        <Facts>
          <Fact label="verbatim.home.condition">
            <Typography component="span" variant="inherit" color={missing.length === 0 ? 'success' : 'error'}>
              {missing.length === 0
                ? translate('verbatim.home.ready')
                : translate('verbatim.home.not_ready', { parts: failing.join(', ') })}
            </Typography>
          </Fact>
          <Fact label="verbatim.home.behind">{translate('verbatim.home.behind_text', { count: number(behind) })}</Fact>
          <Fact label="verbatim.home.search_behind">
            {translate('verbatim.home.behind_text', { count: number(searchBehind) })}
          </Fact>
          {auditLog && (
            <Fact label="verbatim.home.signed">
              <Signed log={auditLog} />
            </Fact>
          )}
          <Fact label="verbatim.home.memory">{number(Math.round(memoryBytes / 2 ** 20))} MiB</Fact>
          <Fact label="verbatim.home.running_since">
            <Moment at={startedAt} />
          </Fact>
          {about && <Fact label="verbatim.settings.version">{about.version}</Fact>}
        </Facts>
        {replicas.length > 1 && <Replicas replicas={replicas} />}
      </CardContent>
    </Card>
  );
}

/** How far the log is signed, who has cosigned the published checkpoint, and the last cosignature. */
function Signed({ log: { size, published, witnesses } }: { log: NonNullable<Overview['auditLog']> }) {
  const translate = useTranslate();
  const number = useNumber();
  const cosigned = witnesses.filter((witness) => witness.size > 0 && witness.size >= (published ?? size));
  const newest = witnesses
    .flatMap(({ cosignedAt }) => cosignedAt ?? [])
    .sort()
    .at(-1);
  return (
    <>
      {translate('verbatim.home.signed_text', { count: number(size) })}
      {witnesses.length > 0 &&
        `; ${translate('verbatim.home.cosigned', { count: number(cosigned.length), all: number(witnesses.length) })}`}{' '}
      {newest && <Moment at={newest} />}
    </>
  );
}

/** The processes of the service, and the load of each. */
function Replicas({ replicas }: { replicas: Overview['replicas'] }) {
  const translate = useTranslate();
  const number = useNumber();
  const word = (name: string) => translate(`verbatim.home.replica_${name}`);
  return (
    <>
      <Typography component="h3" sx={{ mt: 2, fontWeight: 600 }}>
        {translate('verbatim.home.replicas')}
      </Typography>
      <PlainTable
        label={translate('verbatim.home.replicas')}
        columns={[word('id'), word('people'), word('sockets')]}
        empty=""
      >
        {replicas.map(({ id, answers, sockets, people }) => (
          <TableRow key={id}>
            <TableCell>
              {/* Such an id begins with its start time; its end distinguishes it from others. */}
              <code>{id.slice(-12)}</code> {answers && word('answers')}
            </TableCell>
            <TableCell>{number(people ?? undefined)}</TableCell>
            <TableCell>{number(sockets ?? undefined)}</TableCell>
          </TableRow>
        ))}
      </PlainTable>
    </>
  );
}
