import BackIcon from '@mui/icons-material/NavigateBefore';
import ForwardIcon from '@mui/icons-material/NavigateNext';
import PauseIcon from '@mui/icons-material/Pause';
import PlayIcon from '@mui/icons-material/PlayArrow';
import EndIcon from '@mui/icons-material/SkipNext';
import BeginIcon from '@mui/icons-material/SkipPrevious';
import { Box, IconButton, MenuItem, Stack, TextField, Tooltip, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Room, StoredEvent } from '@verbatim/protocol';
import type { ReactNode } from 'react';
import { useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { usePeople } from '../../users/use-people';
import { useMoment, useRegion } from '../../words/region';
import { peopleIn, roomEventSentence } from '../events/room-event-sentence';
import { why } from '../reasons';
import { MessagesThen, type People } from './messages-then';
import type { Scene } from './scene';
import { Timeline } from './timeline';
import { type Speed, speeds, usePlayer } from './use-player';

/** Points of the timeline. */
const POINTS = 100;

/** Replays the room: messages, members, and changes. */
export function PlayerTab() {
  const room = useRecordContext<Room>();
  const { data, error } = useQuery({
    queryKey: ['room timeline', room?.id],
    queryFn: () =>
      shown(
        client.call(
          'getRoomTimeline',
          { params: { id: room?.id ?? '' }, query: { points: POINTS } },
          { ...why(room?.id ?? '') },
        ),
      ),
    enabled: room !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <Failure error={error} />;
  return room && data ? <Player key={room.id} room={room} points={data.points} /> : null;
}

function Player({ room, points }: { room: Room; points: readonly { revision: number; at: string }[] }) {
  const translate = useTranslate();
  const last = points.at(-1)?.revision ?? 0;
  const player = usePlayer(room.id, last);
  const { now, error } = player;
  const scene = now?.scene;
  const events = now?.event ? [now.event] : [];
  const people = usePeople([...(scene?.members.map(({ userId }) => userId) ?? []).slice(0, 100), ...peopleIn(events)]);
  return (
    <Box>
      <Typography color="textSecondary" sx={{ mb: 1 }}>
        {translate('verbatim.player.lead')}
      </Typography>
      <Timeline points={points} at={scene?.at ?? null} onJump={(at) => void player.jump(at)} />
      <Controls player={player} last={last} />
      <Failure error={error} />
      {scene && (
        <>
          <Changed event={now.event} people={people} quiet={player.playing} />
          <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', md: '1fr 240px' } }}>
            <MessagesThen id={room.id} scene={scene} people={people} />
            <Members scene={scene} people={people} />
          </Box>
        </>
      )}
    </Box>
  );
}

function Controls({ player, last }: { player: ReturnType<typeof usePlayer>; last: number }) {
  const translate = useTranslate();
  const region = useRegion();
  const { now, playing, speed, jump, step, setSpeed, play } = player;
  const revision = now?.scene.revision ?? 0;
  const button = (key: string, icon: ReactNode, onClick: () => void, disabled = false) => (
    <Tooltip title={translate(key)}>
      <span>
        <IconButton aria-label={translate(key)} onClick={onClick} disabled={disabled}>
          {icon}
        </IconButton>
      </span>
    </Tooltip>
  );
  return (
    <Stack direction="row" useFlexGap spacing={0.5} sx={{ alignItems: 'center', flexWrap: 'wrap', my: 1 }}>
      {button('verbatim.player.begin', <BeginIcon />, () => void jump(0), revision === 0)}
      {button('verbatim.player.back', <BackIcon />, () => void jump(revision - 1), revision === 0)}
      {playing
        ? button('verbatim.player.pause', <PauseIcon />, () => play(false))
        : button('verbatim.player.play', <PlayIcon />, () => play(true), revision >= last)}
      {button('verbatim.player.forward', <ForwardIcon />, () => void step(), playing || revision >= last)}
      {button('verbatim.player.end', <EndIcon />, () => void jump(last), revision >= last)}
      <TextField
        select
        size="small"
        label={translate('verbatim.player.speed')}
        value={speed}
        onChange={({ target }) => setSpeed(Number(target.value) as Speed)}
        sx={{ width: 110, mx: 1 }}
      >
        {speeds.map((one) => (
          <MenuItem key={one} value={one}>
            {one.toLocaleString(region)}×
          </MenuItem>
        ))}
      </TextField>
      <Typography color="textSecondary" data-testid="player-place">
        {translate('verbatim.player.place', {
          revision: revision.toLocaleString(region),
          last: last.toLocaleString(region),
        })}
      </Typography>
    </Stack>
  );
}

/** What the last step changed; announced to screen readers for single steps only. */
function Changed({ event, people, quiet }: { event: StoredEvent | null; people: People; quiet: boolean }) {
  const translate = useTranslate();
  const moment = useMoment();
  const nameOf = (id: string) => people(id, event?.actor?.id === id ? event.actor.username : undefined);
  return (
    <Typography
      role="status"
      aria-live={quiet ? 'off' : 'polite'}
      sx={{ mb: 2, p: 1, minHeight: 40, bgcolor: 'action.hover', borderRadius: 1, overflowWrap: 'anywhere' }}
    >
      {event ? roomEventSentence(event, { translate, moment, nameOf }) : translate('verbatim.player.nothing_changed')}
    </Typography>
  );
}

function Members({ scene: { members, room }, people }: { scene: Scene; people: People }) {
  const translate = useTranslate();
  return (
    <Box component="section" aria-label={translate('verbatim.rooms.members')}>
      <Typography variant="h2">{`${translate('verbatim.rooms.members')} (${room.memberCount})`}</Typography>
      <Box component="ul" sx={{ m: 0, mt: 1, pl: 2, maxHeight: 420, overflowY: 'auto' }}>
        {members.slice(0, MOST_NAMED).map(({ userId, username, displayName, role }) => (
          <li key={userId}>
            <bdi>{people(userId, displayName ?? username)}</bdi>{' '}
            <Typography component="span" variant="caption" color="textSecondary">
              {translate(`verbatim.room_role.${role}`)}
            </Typography>
          </li>
        ))}
      </Box>
    </Box>
  );
}

/** Members that are listed; the rest is only counted. */
const MOST_NAMED = 100;
