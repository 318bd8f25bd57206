// Package monitor notices when the files of a policy set change.
//
//	files --digest, every interval and on notifications--> Monitor --once it is stable--> changed()
//
// The files are those that the front end would load, and what counts is what they hold and how they are called: not
// when they were written, nor through which of a ConfigMap's symbolic links they are reached. Notifications of the file
// system only make the monitor look earlier; where there are none, the interval is enough.
//
// Start reading at [Monitor.Run].
package monitor
