package transport

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// FindingsConfig are the attributes of export findings, and of the format occurrence wherever it goes.
type FindingsConfig struct {
	APIKey       string        `attr:"findings.apikey" required:"true" secret:"true" when:"export=findings" help:"API key that is exchanged for tokens"`
	AccountID    string        `attr:"findings.accountid" required:"true" when:"export=findings" help:"account that the occurrences belong to"`
	Provider     string        `attr:"findings.provider" required:"true" when:"export=findings" help:"provider that the notes are registered with"`
	Region       string        `attr:"findings.region" required:"true" when:"export=findings" help:"region of the resource, for the occurrence's context"`
	URL          string        `attr:"findings.url" default:"https://us-south.secadvisor.cloud.ibm.com/findings" when:"export=findings" help:"base of the findings service"`
	IAMURL       string        `attr:"findings.iamurl" default:"https://iam.cloud.ibm.com" when:"export=findings" help:"base of the token service"`
	SQLQueryURL  string        `attr:"findings.sqlqueryurl" default:"https://us.sql-query.cloud.ibm.com/sqlquery" when:"export=findings;format=occurrence" help:"query page that occurrences link to"`
	SQLQueryCRN  string        `attr:"findings.sqlquerycrn" required:"true" when:"export=findings" help:"resource name of the query service"`
	S3Region     string        `attr:"findings.s3region" required:"true" when:"export=findings" help:"region of the bucket that holds the event files"`
	S3Bucket     string        `attr:"findings.s3bucket" required:"true" when:"export=findings" help:"bucket that holds the event files"`
	S3Prefix     string        `attr:"findings.s3prefix" when:"export=findings;format=occurrence" help:"prefix of the event files in the bucket"`
	Path         string        `attr:"findings.path" default:"/mnt/occurrences" kind:"dir" when:"export=findings;format=occurrence" help:"directory of the event files"`
	PoolCapacity int           `attr:"findings.pool.capacity" default:"250" min:"1" when:"export=findings;format=occurrence" help:"events of a container that wait before they are written"`
	PoolMaxAge   time.Duration `attr:"findings.pool.maxage" default:"1440m" unit:"m" when:"export=findings;format=occurrence" help:"when a container's history is forgotten"`
	Note         string        `attr:"findings.note" compat:"true" help:"name in an old template"`
}

// Validate reports every fault that no single attribute shows, each beginning with the attribute.
func (c *FindingsConfig) Validate() error {
	var errs []error
	for _, f := range []struct{ attr, value string }{
		{"findings.url", c.URL}, {"findings.iamurl", c.IAMURL}, {"findings.sqlqueryurl", c.SQLQueryURL},
	} {
		if u, err := url.Parse(f.value); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s: want a URL such as https://host/path", f.attr))
		}
	}
	return errors.Join(errs...)
}
